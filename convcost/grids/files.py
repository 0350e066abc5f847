"""Rows to files: one table of formats, each a module with a `writer` of a stream and what that takes, `encoded`."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Protocol, TypeAlias

from convcost.grids.evaluate import Block
from convcost.grids.rows import Rows

ROW_FORMATS: Mapping[str, str] = {
    "csv": "convcost.grids.spreadsheet",
    "parquet": "convcost.grids.parquet",
}

Encoded: TypeAlias = object
"""A block's rows as a format's `encoded` makes them and its writer takes them: CSV's lines, a table of pyarrow's."""


class BinaryStream(Protocol):
    """The part of a file that rows are written to."""

    def write(self, data: bytes | memoryview, /) -> object: ...


class RowWriter(Protocol):
    """What puts encoded blocks into a file, in order and without holding more than one."""

    def write(self, encoded: Encoded, /) -> None:
        """Appends a block's rows."""

    def close(self) -> None:
        """Writes what stands after the rows; the stream stays open."""


def row_writer(format_name: str, stream: BinaryStream, rows: Rows) -> RowWriter:
    """A writer whose header is out; raises `MissingDependencyError` where the format needs a package."""
    made: RowWriter = importlib.import_module(ROW_FORMATS[format_name]).writer(stream, rows)
    return made


def encoded(format_name: str, rows: Rows, block: Block) -> Encoded:
    """What such a writer takes for a block: as much as can be done before its turn."""
    made: Encoded = importlib.import_module(ROW_FORMATS[format_name]).encoded(rows, block)
    return made
