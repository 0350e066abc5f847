"""A grid as Parquet, read back by pyarrow."""

from __future__ import annotations

import io
import sys

import pyarrow
import pytest
from pyarrow import parquet

from convcost.alternatives import DEFAULT_ALTERNATIVES
from convcost.errors import MissingDependencyError
from convcost.grids import Grid, Rows, evaluate
from convcost.grids.files import encoded, row_writer
from tests.grids.test_rows import expected

ROWS = Rows(
    grid=Grid.of(["kernel=1,3", "padding=same,0", "in_channels=4,6", "out_channels=8", "input=2,9"]),
    alternatives=DEFAULT_ALTERNATIVES,
)


@pytest.fixture(scope="module")
def written() -> parquet.ParquetFile:
    file = io.BytesIO()
    writer = row_writer("parquet", file, ROWS)
    for block in evaluate(ROWS.grid, ROWS.alternatives, most=7):
        writer.write(encoded("parquet", ROWS, block))
    writer.close()
    return parquet.ParquetFile(io.BytesIO(file.getvalue()))


def test_parquet_has_the_rows_of_the_csv_with_numbers_as_numbers(written: parquet.ParquetFile) -> None:
    assert written.num_row_groups > 1
    texts = [
        {name: "" if value is None else str(value) for name, value in row.items()} for row in written.read().to_pylist()
    ]
    assert texts == expected(ROWS)


def test_axes_of_numbers_and_counts_are_integers_and_words_are_dictionaries(written: parquet.ParquetFile) -> None:
    words = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
    schema = written.schema_arrow
    assert dict(zip(schema.names, schema.types, strict=True)) == {
        **dict.fromkeys(ROWS.header, pyarrow.int64()),
        **dict.fromkeys(("padding", "alternative", "reason"), words),
    }


def test_without_pyarrow_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingDependencyError, match="Parquet files need pyarrow") as caught:
        row_writer("parquet", io.BytesIO(), ROWS)
    assert caught.value.hint == "pip install 'convcost[parquet]'"
