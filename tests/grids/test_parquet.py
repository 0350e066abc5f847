"""What is handed to pyarrow, which the development environment does without: a stand-in takes it down."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest

from convcost.alternatives import DEFAULT_ALTERNATIVES
from convcost.errors import MissingDependencyError
from convcost.grids import Grid, Rows, evaluate
from convcost.grids.files import encoded, row_writer
from tests.grids.test_rows import expected

ROWS = Rows(
    grid=Grid.of(["kernel=1,3", "padding=same,0", "in_channels=4,6", "out_channels=8", "input=2,9"]),
    alternatives=DEFAULT_ALTERNATIVES,
)


@dataclass
class Taken:
    schema: list[tuple[str, str]] = field(default_factory=list)
    tables: list[list[list[object]]] = field(default_factory=list)
    closed: bool = False


def array(values: Any, mask: Any = None) -> list[object]:
    hidden = [False] * len(values) if mask is None else mask
    return [None if is_hidden else value for value, is_hidden in zip(list(values), hidden, strict=True)]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Taken:
    taken = Taken()

    class Writer:
        def __init__(self, stream: object, schema: list[tuple[str, str]]) -> None:
            taken.schema = schema

        def write_table(self, table: list[list[object]]) -> None:
            taken.tables.append(table)

        def close(self) -> None:
            taken.closed = True

    class Table:
        @staticmethod
        def from_arrays(columns: list[list[object]], schema: object) -> list[list[object]]:
            return columns

    class DictionaryArray:
        @staticmethod
        def from_arrays(indices: list[Any], dictionary: list[object]) -> list[object]:
            return [None if index is None else dictionary[index] for index in indices]

    pyarrow, parquet = ModuleType("pyarrow"), ModuleType("pyarrow.parquet")
    stand_ins: dict[str, object] = {
        "array": array,
        "Table": Table,
        "DictionaryArray": DictionaryArray,
        "schema": list,
        "dictionary": lambda indices, values: f"{values} by {indices}",
        "int32": lambda: "int32",
        "int64": lambda: "int64",
        "string": lambda: "string",
        "parquet": parquet,
    }
    for name, value in stand_ins.items():
        setattr(pyarrow, name, value)
    parquet.ParquetWriter = Writer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyarrow", pyarrow)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", parquet)
    return taken


def test_parquet_is_given_the_rows_of_the_csv_with_numbers_as_numbers(taken: Taken) -> None:
    writer = row_writer("parquet", io.BytesIO(), ROWS)
    for block in evaluate(ROWS.grid, ROWS.alternatives, most=7):
        writer.write(encoded("parquet", ROWS, block))
    writer.close()
    assert taken.closed
    assert len(taken.tables) > 1
    rows = [row for table in taken.tables for row in zip(*table, strict=True)]
    texts = [tuple("" if value is None else str(value) for value in row) for row in rows]
    assert texts == [tuple(record.values()) for record in expected(ROWS)]


def test_axes_of_numbers_and_counts_are_integers_and_words_are_dictionaries(taken: Taken) -> None:
    row_writer("parquet", io.BytesIO(), ROWS)
    words = "string by int32"
    assert dict(taken.schema) == {
        **dict.fromkeys(ROWS.header, "int64"),
        **dict.fromkeys(("padding", "alternative", "reason"), words),
    }


def test_without_pyarrow_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependencyError, match="Parquet files need pyarrow") as caught:
        row_writer("parquet", io.BytesIO(), ROWS)
    assert caught.value.hint == "pip install 'convcost[parquet]'"
