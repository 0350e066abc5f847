"""Rows to files: one table of formats, each a module whose `writer` takes a stream."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Protocol

from convcost.grids.evaluate import Block
from convcost.grids.rows import Rows

ROW_FORMATS: Mapping[str, str] = {
    "csv": "convcost.grids.spreadsheet",
    "parquet": "convcost.grids.parquet",
}


class BinaryStream(Protocol):
    """The part of a file that rows are written to."""

    def write(self, data: bytes, /) -> object: ...


class RowWriter(Protocol):
    """What turns blocks into a file, in order and without holding more than one."""

    def write(self, block: Block) -> None:
        """Appends a block's rows."""

    def close(self) -> None:
        """Writes what stands after the rows; the stream stays open."""


def row_writer(format_name: str, stream: BinaryStream, rows: Rows) -> RowWriter:
    """A writer whose header is out; raises `MissingDependencyError` where the format needs a package."""
    module = importlib.import_module(ROW_FORMATS[format_name])
    made: RowWriter = module.writer(stream, rows)
    return made
