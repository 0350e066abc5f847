"""A report as data: tables of raw values that know how to be shown, and the words around them."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Protocol, TypeAlias

from convcost.analysis import Json
from convcost.dataclasses import dataclass
from convcost.graph import Shape
from convcost.units import Unit, format_column, format_exact, format_quantity

Value: TypeAlias = int | float | str | None
"""A cell's raw value; None where the quantity does not exist. Text in a column of numbers stands as it is."""


class Kind(enum.Enum):
    """How the values of a column are shown."""

    NAME = "name"  # from the model: escaped, and cut in the middle where room is short
    TEXT = "text"
    COUNT = "count"
    BYTES = "bytes"
    WHOLE = "whole"
    TIMES = "times"
    PERCENT = "percent"
    RATE = "rate"
    FIGURE = "figure"  # numbers of several units in one column, formatted beforehand
    STATUS = "status"

    @property
    def is_text(self) -> bool:
        return self in (Kind.NAME, Kind.TEXT, Kind.STATUS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`key` is the column's name for machines; `title` may stand on two lines.

    Where room is short, columns go by falling `spare`; those of 0 stay.
    """

    key: str
    title: str
    kind: Kind
    spare: int = 0


Row: TypeAlias = tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of one value per column. `summary` rows stand below a rule: the rest, and the total.

    `remarks` are sentences below the table, such as why an alternative has no numbers.
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    summary: tuple[Row, ...] = ()
    title: str = ""
    remarks: tuple[str, ...] = ()

    def shown(self) -> list[list[str]]:
        """Every cell as text, rows then summary; a column's numbers are formatted with each other in view."""
        every = [*self.rows, *self.summary]
        by_column = [_shown(column.kind, [row[at] for row in every]) for at, column in enumerate(self.columns)]
        return [list(cells) for cells in zip(*by_column, strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One labelled number or text of the whole; a number is shown rounded and exact, with a few words on it."""

    label: str
    value: int | str
    unit: Unit = Unit.COUNT
    remark: str = ""
    lower_bound: bool = False

    def short(self) -> str:
        text = self.value if isinstance(self.value, str) else format_quantity(self.value, self.unit)
        return f"at least {text}" if self.lower_bound else text

    def exact(self) -> str:
        """All digits; empty where the short form says them already."""
        if isinstance(self.value, str) or self.value < 1000:
            return ""
        return format_exact(self.value, self.unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What people read of one result, from the title line to the footer."""

    title: str
    subtitle: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    facts: tuple[Fact, ...] = ()
    notes: tuple[str, ...] = ()
    footer: tuple[str, ...] = ()


class Report(Protocol):
    """A command's result in the three shapes that formats are made from."""

    def documents(self) -> tuple[Document, ...]:
        """For people: one per model."""

    def records(self) -> Table:
        """For spreadsheets: one flat table, every row of every model."""

    def to_json(self) -> Json:
        """For programs: the document whose schema `docs/schema/` describes."""


def shape_text(shape: Shape) -> str:
    """`1×3×224×224`; a scalar is `()`.

    >>> shape_text((1, 3, 224, 224))
    '1×3×224×224'
    """
    return "×".join(map(str, shape)) or "()"


def _shown(kind: Kind, values: list[Value]) -> list[str]:
    numbers = [value for value in values if isinstance(value, int)]
    match kind:
        case Kind.COUNT | Kind.BYTES:
            unit = Unit.COUNT if kind is Kind.COUNT else Unit.BYTES
            texts = dict(zip(numbers, format_column(numbers, unit), strict=True))
            return [texts[value] if isinstance(value, int) else str(value or "") for value in values]
        case _:
            show = _FORMATS[kind]
            return [str(value or "") if value is None or isinstance(value, str) else show(value) for value in values]


_FORMATS: dict[Kind, Callable[[int | float], str]] = {
    Kind.NAME: str,
    Kind.TEXT: str,
    Kind.WHOLE: lambda value: f"{value:,}",
    Kind.TIMES: lambda value: f"{value:.2f}×",
    Kind.PERCENT: lambda value: f"{100 * value:z.1f} %",
    Kind.FIGURE: str,
    Kind.STATUS: str,
    Kind.RATE: lambda value: f"{value:.2f}" if value < 100 else f"{value:.1f}",
}
