"""A grid's rows as Parquet: counts as integers, null where an alternative does not apply, words as dictionaries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from convcost.dataclasses import dataclass
from convcost.errors import MissingDependencyError
from convcost.grids.axes import Axis
from convcost.grids.evaluate import METRICS, Block
from convcost.grids.files import BinaryStream
from convcost.grids.rows import Mask, Rows

_Value = TypeVar("_Value", bound=np.generic)


def writer(stream: BinaryStream, rows: Rows) -> ParquetWriter:
    """Begins the file with its schema; raises `MissingDependencyError`.

    Numbers are stored as differences, which pyarrow writes in a third of the time that it takes to look for repeated
    ones, and smaller; statistics are kept of what a reader may look for.
    """
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise MissingDependencyError("Parquet files need pyarrow", hint="pip install 'convcost[parquet]'") from error
    file = pyarrow.parquet.ParquetWriter(
        stream,
        _schema(rows),
        use_dictionary=[name for name in rows.header if name not in METRICS],
        column_encoding=dict.fromkeys(METRICS, "DELTA_BINARY_PACKED"),
        write_statistics=[*(axis.name for axis in rows.grid.axes if _is_number(axis)), *METRICS],
    )
    return ParquetWriter(file=file)


def encoded(rows: Rows, block: Block) -> Any:
    """The block's rows as a table of pyarrow's."""
    import pyarrow

    kept = rows.kept(block)
    return pyarrow.Table.from_arrays([*_axes(rows, block, kept), *_counted(block, kept)], schema=_schema(rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetWriter:
    """Tables to a file of pyarrow's, which is untyped."""

    file: Any

    def write(self, table: Any) -> None:
        """One row group for each block."""
        self.file.write_table(table)

    def close(self) -> None:
        self.file.close()


def _schema(rows: Rows) -> Any:
    """Words where any value of an axis is one."""
    import pyarrow

    words, numbers = pyarrow.dictionary(pyarrow.int32(), pyarrow.string()), pyarrow.int64()
    axes = [(axis.name, numbers if _is_number(axis) else words) for axis in rows.grid.axes]
    return pyarrow.schema(
        [*axes, ("alternative", words), *((metric, numbers) for metric in METRICS), ("reason", words)]
    )


def _axes(rows: Rows, block: Block, kept: Mask) -> Iterator[Any]:
    """The columns that say which layer and which alternative a row is of."""
    import pyarrow

    along = [
        np.array(axis.values)[places] if _is_number(axis) else places.astype(np.int32)
        for axis, places in zip(rows.grid.axes, block.places, strict=True)
    ]
    for axis, spread in zip(rows.grid.axes, np.meshgrid(*along, indexing="ij", copy=False), strict=True):
        column = _by_row(spread.reshape(-1, 1), kept)
        yield pyarrow.array(column) if _is_number(axis) else _words(column, axis.shown)
    yield _words(_by_row(np.arange(len(rows.alternatives), dtype=np.int32), kept), rows.labels)


def _counted(block: Block, kept: Mask) -> Iterator[Any]:
    """The columns of counts, and of the reasons why there are none."""
    import pyarrow

    reasons = _by_row(np.stack([found.reasons.reshape(-1) for found in block.alternatives], axis=1), kept)
    missing = reasons != 0
    for metric in range(len(METRICS)):
        counts = np.stack([found.counts[metric].reshape(-1) for found in block.alternatives], axis=1)
        yield pyarrow.array(_by_row(counts, kept), mask=missing if missing.any() else None)
    yield _words(reasons, block.texts, missing=~missing)


def _by_row(values: npt.NDArray[_Value], kept: Mask) -> npt.NDArray[_Value]:
    """What is given by layer, by alternative or by both, for every row kept."""
    spread = np.broadcast_to(values, kept.shape)
    return spread.reshape(-1) if kept.all() else spread[kept]


def _is_number(axis: Axis) -> bool:
    return all(text.isdigit() for text in axis.shown)


def _words(chosen: npt.NDArray[np.int32], texts: Sequence[str], missing: Mask | None = None) -> Any:
    import pyarrow

    indices = pyarrow.array(chosen, mask=missing)
    return pyarrow.DictionaryArray.from_arrays(indices, pyarrow.array(texts))
