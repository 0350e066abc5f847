"""Tables for a terminal or a pipe, one row a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convcost.dataclasses import dataclass
from convcost.reports.document import Column, Document, Fact, Kind, Report, Table
from convcost.reports.escape import printable
from convcost.reports.style import Style

_GAP = 2
_INDENT = "  "
_SHORTEST_NAME = 16
_NARROW = frozenset("–…→−⌈⌉─")
"""What convcost's own words hold beyond Latin letters: one column each, as rich says, which takes 1 ms to ask."""
_PLAIN = Style()


def render(report: Report, style: Style) -> str:
    """Every document, one below the other."""
    return "\n".join("\n".join(_document(document, style)) + "\n" for document in report.documents())


def _document(document: Document, style: Style) -> Iterator[str]:
    yield style.bold(printable(document.title))
    yield from (line for text in document.subtitle for line in _wrapped(printable(text), style))
    for table in document.tables:
        yield ""
        if table.title:
            yield from _wrapped(printable(table.title), style)
        yield from _table(table, style)
    if document.facts:
        yield ""
        yield from _facts(document.facts, style)
    if document.notes:
        yield ""
        yield from (line for note in document.notes for line in _wrapped(f"note: {printable(note)}", style))
    if document.footer:
        yield ""
        yield from (style.dim(line) for text in document.footer for line in _wrapped(text, style))


def _wrapped(text: str, style: Style, *, lead: str = "") -> list[str]:
    if style.width is None:
        return [lead + text]
    import textwrap  # 4 ms that pipes need not spend

    return textwrap.wrap(
        text, style.width, initial_indent=lead, subsequent_indent=lead + _INDENT, break_long_words=False
    ) or [lead]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """How wide each column that fits is, by its position, and the titles of those left out."""

    widths: dict[int, int]
    hidden: tuple[str, ...]


def _table(table: Table, style: Style) -> Iterator[str]:
    cells = [[printable(cell) for cell in row] for row in table.shown()]
    layout = _fit(table.columns, cells, style.width)
    for at, width in layout.widths.items():
        if table.columns[at].kind is Kind.NAME:
            for row, name in zip(cells, elided([row[at] for row in cells], width), strict=True):
                row[at] = name
    for heads in _heads(table.columns):
        yield style.bold(_line(table.columns, heads, layout))
    for row in cells[: len(table.rows)]:
        yield _line(table.columns, row, layout, style)
    if table.summary:
        yield style.dim(_INDENT + "─" * (sum(layout.widths.values()) + _GAP * (len(layout.widths) - 1)))
        for row in cells[len(table.rows) :]:
            yield style.bold(_line(table.columns, row, layout))
    if layout.hidden:
        hidden = f"(not shown at this width: {', '.join(layout.hidden)})"
        yield from (style.dim(line) for line in _wrapped(hidden, style, lead=_INDENT))
    yield from (line for remark in table.remarks for line in _wrapped(printable(remark), style, lead=_INDENT))


def _heads(columns: Sequence[Column]) -> list[list[str]]:
    """Titles as lines, the last lines of all in one row."""
    titles = [column.title.split("\n") for column in columns]
    height = max(map(len, titles))
    padded = [[""] * (height - len(title)) + title for title in titles]
    return [list(line) for line in zip(*padded, strict=True)]


def _title_width(column: Column) -> int:
    return max(map(display_width, column.title.split("\n")))


def _fit(columns: Sequence[Column], cells: Sequence[Sequence[str]], width: int | None) -> _Layout:
    """Leaves out spare columns until the rest fits with names cut and still told apart; numbers are never cut."""
    widths = {
        at: max([_title_width(column), *(display_width(row[at]) for row in cells)]) for at, column in enumerate(columns)
    }
    if width is not None:
        by_need = sorted((at for at in widths if columns[at].spare), key=lambda at: columns[at].spare)
        while by_need and not _legible(_shrunk(widths, columns, width), columns, cells, width):
            del widths[by_need.pop()]
        widths = _shrunk(widths, columns, width)
    hidden = tuple(column.title.replace("\n", " ") for at, column in enumerate(columns) if at not in widths)
    return _Layout(widths=widths, hidden=hidden)


def _legible(widths: dict[int, int], columns: Sequence[Column], cells: Sequence[Sequence[str]], room: int) -> bool:
    if _total(widths) > room:
        return False
    for at, width in widths.items():
        names = {row[at] for row in cells}
        if columns[at].kind is Kind.NAME and len(set(elided(list(names), width))) < len(names):
            return False
    return True


def _narrowest(widths: dict[int, int], columns: Sequence[Column]) -> dict[int, int]:
    return {
        at: min(width, max(_SHORTEST_NAME, _title_width(columns[at]))) if columns[at].kind is Kind.NAME else width
        for at, width in widths.items()
    }


def _shrunk(widths: dict[int, int], columns: Sequence[Column], room: int) -> dict[int, int]:
    """Takes what is missing from the widest name column, then the next."""
    result, least = dict(widths), _narrowest(widths, columns)
    for at in sorted(result, key=lambda at: -result[at]):
        excess = _total(result) - room
        if excess > 0:
            result[at] = max(least[at], result[at] - excess)
    return result


def _total(widths: dict[int, int]) -> int:
    return len(_INDENT) + sum(widths.values()) + _GAP * (len(widths) - 1)


_STATUS_COLORS = {"PASS": "32", "WARN": "33", "FAIL": "31", "CANNOT TELL": "33"}


def _line(columns: Sequence[Column], cells: Sequence[str], layout: _Layout, style: Style = _PLAIN) -> str:
    parts = []
    for at, width in layout.widths.items():
        text = cells[at]
        padding = " " * (width - display_width(text))
        if columns[at].kind is Kind.STATUS:
            text = style.colored(_STATUS_COLORS.get(text, ""), text)
        parts.append(text + padding if columns[at].kind.is_text else padding + text)
    return (_INDENT + (" " * _GAP).join(parts)).rstrip()


def _facts(facts: Sequence[Fact], style: Style) -> Iterator[str]:
    """Labels, rounded and exact values under each other; remarks where there is room for them."""
    numbers = [fact for fact in facts if not isinstance(fact.value, str)]
    label_width = max(display_width(fact.label) for fact in facts)
    short_width = max((display_width(fact.short()) for fact in numbers), default=0)
    exact_width = max((display_width(fact.exact()) for fact in numbers), default=0)
    for fact in facts:
        lead = f"{_INDENT}{fact.label:<{label_width}}  "
        if isinstance(fact.value, str):
            yield from _wrapped(f"{lead}{printable(fact.value)}", style)
            continue
        short = f"{fact.short():>{short_width}}"
        tail = f"  {fact.exact():>{exact_width}}"
        remark = f"  {fact.remark}"
        if style.width is not None and display_width(lead + short + tail + remark) > style.width:
            remark = ""
        yield f"{lead}{style.bold(short)}{tail}{remark}".rstrip()


def elided(names: Sequence[str], width: int) -> list[str]:
    """Names cut in the middle to `width`, or nearer their beginning where that would make two the same.

    >>> elided(["features.denseblock3.denselayer24.conv1"], 24)
    ['features.de…ayer24.conv1']
    """
    long = {name for name in names if display_width(name) > width}
    cut = {}
    for part in (2, 4, 8, width):
        cut = {name: _cut(name, width, head=(width - 1) // part) for name in long}
        if len(set(cut.values())) == len(cut):
            break
    else:
        cut = {name: _cut(name, width, head=(width - 1) // 2) for name in long}
    return [cut.get(name, name) for name in names]


def _cut(text: str, width: int, *, head: int) -> str:
    """`head` columns of the beginning, a mark, and as much of the end as fits."""
    if text.isascii():
        return f"{text[:head]}…{text[len(text) - (width - 1 - head) :]}"
    from rich.cells import set_cell_size

    end = text
    while display_width(end) > width - 1 - head:
        end = end[1:]
    return f"{set_cell_size(text, head)}…{end}"


def display_width(text: str) -> int:
    """Columns a terminal gives the text; ideographs take two."""
    if text.isascii() or all(char < "\u0300" or char in _NARROW for char in text):
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
