"""A block's rows as CSV, digits looked up four at a time: Python's own formatting would take longer than counting."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from convcost.grids.evaluate import METRICS, Block
from convcost.grids.files import BinaryStream, RowWriter
from convcost.grids.rows import Mask, Rows
from convcost.grids.sizes import Values

Words: TypeAlias = npt.NDArray[np.uint32]
"""Text four bytes at a time; zero bytes are no text and are taken out at the end."""

_WORD = 4
_LAST_DIGITS = 1000
_DIGITS = 10_000
_COMMA = np.frombuffer(b",\0\0\0", dtype=np.uint32)[0]
_AT_ONCE = 8192
"""Layers written at a time: few enough for the processor's cache."""


def writer(stream: BinaryStream, rows: Rows) -> RowWriter:
    """Writes the header."""
    stream.write((",".join(rows.header) + "\n").encode())
    return _CsvWriter(stream, rows)


@dataclass(slots=True)
class _CsvWriter:
    stream: BinaryStream
    rows: Rows

    def write(self, block: Block) -> None:
        for lines in csv_lines(self.rows, block):
            self.stream.write(lines)

    def close(self) -> None:
        """Nothing stands after the rows."""


def csv_lines(rows: Rows, block: Block) -> Iterator[bytes]:
    """Every row kept of the block: layers in row order, of each the alternatives in the order asked for.

    Counts are empty where the alternative does not apply.
    """
    columns, kept = (*_axes(rows, block), *_counted(block)), rows.kept(block)
    widths = [column.width for column in columns]
    for start in range(0, len(kept), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        words = np.empty((len(rows.alternatives), sum(widths), len(kept[part])), dtype=np.uint32)
        for column, cells in zip(columns, np.split(words, np.cumsum(widths)[:-1], axis=1), strict=True):
            column.write(cells, part)
        lines = words.transpose(2, 0, 1)
        yield (lines if kept[part].all() else lines[kept[part]]).tobytes().translate(None, b"\0")


class _Texts:
    """A column of cells out of a table: `chosen` holds places in it by alternative and layer, or by one of them."""

    def __init__(self, table: Words, chosen: npt.NDArray[np.integer]) -> None:
        self.table, self.chosen, self.width = table.T.copy(), chosen, table.shape[1]

    def write(self, cells: Words, part: slice) -> None:
        chosen = self.chosen[:, part] if self.chosen.shape[1] > 1 else self.chosen
        for at, words in enumerate(self.table):
            cells[:, at] = words.take(chosen, mode="clip")


class _Numbers:
    """A column of counts by alternative and layer, empty where one does not apply."""

    def __init__(self, counts: Values, applies: Mask) -> None:
        self.counts, self.applies, self.width = counts, applies, _length(int(counts.max()))

    def write(self, cells: Words, part: slice) -> None:
        """From the last word backwards: three digits and a comma, then four digits for as long as any are left."""
        power, words, rest = _LAST_DIGITS, _digits(3, ","), self.counts[:, part]
        for at in reversed(range(self.width)):
            above = rest // power
            place = rest - above * power
            place += (above > 0) * power
            cells[:, at] = words.take(place, mode="clip")
            power, words, rest = _DIGITS, _digits(4, ""), above
        if not (applies := self.applies[:, part]).all():
            np.copyto(cells, 0, where=~applies[:, np.newaxis])
            np.copyto(cells[:, -1], _COMMA, where=~applies)


def _axes(rows: Rows, block: Block) -> Iterator[_Texts]:
    """The columns that say which layer and which alternative a row is of."""
    for axis, places in zip(rows.grid.axes, np.meshgrid(*block.places, indexing="ij"), strict=True):
        yield _Texts(_packed(axis.shown, ","), places.reshape(1, -1))
    yield _Texts(_packed(rows.labels, ","), np.arange(len(rows.alternatives)).reshape(-1, 1))


def _counted(block: Block) -> Iterator[_Texts | _Numbers]:
    """The columns of counts, and of the reasons why there are none."""
    applies = np.stack([found.applies.reshape(-1) for found in block.alternatives])
    for metric in range(len(METRICS)):
        yield _Numbers(np.stack([found.counts[metric].reshape(-1) for found in block.alternatives]), applies)
    reasons = np.stack([found.reasons.reshape(-1) for found in block.alternatives])
    yield _Texts(_packed(block.texts if reasons.any() else [""], "\n"), reasons)


def _length(largest: int) -> int:
    """Words that a number of this size takes with its comma."""
    return 1 + -(-max(len(str(largest)) - 3, 0) // _WORD)


@functools.cache
def _digits(count: int, end: str) -> Words:
    """All numbers of so many digits: first as they begin a number, where zeros are left out, then as they go on."""
    numbers = range(10**count)
    first = [str(number) if number or end else "" for number in numbers]
    return _packed([*first, *(f"{number:0{count}}" for number in numbers)], end)[:, 0]


def _packed(texts: Sequence[str], end: str = "") -> Words:
    """Each text as a cell with what follows it, in as many words as the longest takes."""
    cells = [f"{_cell(text)}{end}".encode() for text in texts]
    width = -(-max(map(len, cells)) // _WORD) * _WORD
    return np.array([list(cell.ljust(width, b"\0")) for cell in cells], dtype=np.uint8).view(np.uint32)


def _cell(text: str) -> str:
    """Quoted where CSV asks for it."""
    return '"{}"'.format(text.replace('"', '""')) if set(text) & set(',"\n') else text
