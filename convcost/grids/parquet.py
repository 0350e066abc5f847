"""A grid's rows as Parquet: counts as integers, null where an alternative does not apply, words as dictionaries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convcost.errors import MissingDependencyError
from convcost.grids.axes import Axis
from convcost.grids.evaluate import METRICS, Block
from convcost.grids.files import BinaryStream
from convcost.grids.rows import Mask, Rows


def writer(stream: BinaryStream, rows: Rows) -> ParquetWriter:
    """Begins the file with its schema; raises `MissingDependencyError`."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingDependencyError("Parquet files need pyarrow", hint="pip install 'convcost[parquet]'") from error
    fields = [(axis.name, _type(axis)) for axis in rows.grid.axes]
    words, counts = pyarrow.dictionary(pyarrow.int32(), pyarrow.string()), pyarrow.int64()
    schema = pyarrow.schema(
        [*fields, ("alternative", words), *((metric, counts) for metric in METRICS), ("reason", words)]
    )
    return ParquetWriter(file=pyarrow.parquet.ParquetWriter(stream, schema), schema=schema, rows=rows)


def encoded(rows: Rows, block: Block) -> Block:
    """The block itself: pyarrow does the rest on threads of its own."""
    return block


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetWriter:
    """Blocks to a file of pyarrow's, which is untyped."""

    file: Any
    schema: Any
    rows: Rows

    def write(self, block: Block) -> None:
        """One row group for each block."""
        import pyarrow

        kept = self.rows.kept(block)
        columns = [*self._axes(block, kept), *self._counted(block, kept)]
        self.file.write_table(pyarrow.Table.from_arrays(columns, schema=self.schema))

    def close(self) -> None:
        self.file.close()

    def _axes(self, block: Block, kept: Mask) -> Iterator[Any]:
        """The columns that say which layer and which alternative a row is of."""
        import pyarrow

        layers, alternatives = np.nonzero(kept)
        places = np.meshgrid(*block.places, indexing="ij")
        for axis, along in zip(self.rows.grid.axes, places, strict=True):
            chosen = along.reshape(-1)[layers]
            if _type(axis) == pyarrow.int64():
                yield pyarrow.array(np.array(axis.values)[chosen])
            else:
                yield _words(chosen, axis.shown)
        yield _words(alternatives, self.rows.labels)

    def _counted(self, block: Block, kept: Mask) -> Iterator[Any]:
        """The columns of counts, and of the reasons why there are none."""
        import pyarrow

        reasons = np.stack([found.reasons.reshape(-1) for found in block.alternatives], axis=1)[kept]
        for metric in range(len(METRICS)):
            counts = np.stack([found.counts[metric].reshape(-1) for found in block.alternatives], axis=1)[kept]
            yield pyarrow.array(counts, mask=reasons != 0)
        yield _words(reasons, block.texts, missing=reasons == 0)


def _type(axis: Axis) -> Any:
    """Words where any value is one."""
    import pyarrow

    numbers = all(text.isdigit() for text in axis.shown)
    return pyarrow.int64() if numbers else pyarrow.dictionary(pyarrow.int32(), pyarrow.string())


def _words(chosen: npt.NDArray[np.integer[Any]], texts: Sequence[str], missing: Mask | None = None) -> Any:
    import pyarrow

    indices = pyarrow.array(chosen.astype(np.int32), mask=missing)
    return pyarrow.DictionaryArray.from_arrays(indices, pyarrow.array(texts))
