"""A grid as Parquet, read back by pyarrow."""

from __future__ import annotations

import io
import sys
from dataclasses import replace

import pyarrow
import pytest
from pyarrow import parquet

from convcost.alternatives import DEFAULT_ALTERNATIVES
from convcost.errors import MissingDependencyError
from convcost.grids import Grid, Rows, evaluate
from convcost.grids.files import encoded, row_writer
from tests.grids.test_rows import expected, records

ROWS = Rows(
    grid=Grid.of(["kernel=1,3", "padding=same,0", "in_channels=4,6", "out_channels=8", "input=2,9"]),
    alternatives=DEFAULT_ALTERNATIVES,
)


def as_parquet(rows: Rows) -> parquet.ParquetFile:
    file = io.BytesIO()
    writer = row_writer("parquet", file, rows)
    for block in evaluate(rows.grid, rows.alternatives, most=7):
        writer.write(encoded("parquet", rows, block))
    writer.close()
    return parquet.ParquetFile(io.BytesIO(file.getvalue()))


def texts(file: parquet.ParquetFile) -> list[dict[str, str]]:
    return [
        {name: "" if value is None else str(value) for name, value in row.items()} for row in file.read().to_pylist()
    ]


@pytest.fixture(scope="module")
def written() -> parquet.ParquetFile:
    return as_parquet(ROWS)


def test_parquet_has_the_rows_of_the_csv_with_numbers_as_numbers(written: parquet.ParquetFile) -> None:
    assert written.num_row_groups > 1
    assert texts(written) == expected(ROWS)


def test_the_pareto_filter_keeps_the_rows_that_it_keeps_in_csv() -> None:
    filtered = replace(ROWS, pareto=True)
    assert texts(as_parquet(filtered)) == records(filtered)


def test_counts_are_stored_as_differences_and_have_statistics_to_look_for_them_by(written: parquet.ParquetFile) -> None:
    group = written.metadata.row_group(0)
    columns = {group.column(at).path_in_schema: group.column(at) for at in range(group.num_columns)}
    assert "DELTA_BINARY_PACKED" in columns["macs"].encodings
    assert [name for name, column in columns.items() if not column.is_stats_set] == ["padding", "alternative", "reason"]


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
