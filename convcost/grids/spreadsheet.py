"""A block's rows as CSV, digits looked up four at a time: Python's own formatting would take longer than counting."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from convcost.grids.evaluate import METRICS, Block
from convcost.grids.files import BinaryStream
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


def writer(stream: BinaryStream, rows: Rows) -> CsvWriter:
    """Writes the header."""
    stream.write((",".join(rows.header) + "\n").encode())
    return CsvWriter(stream=stream)


def encoded(rows: Rows, block: Block) -> bytes:
    """The block's lines."""
    return b"".join(csv_lines(rows, block))


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvWriter:
    """Lines to a stream."""

    stream: BinaryStream

    def write(self, lines: bytes) -> None:
        self.stream.write(lines)

    def close(self) -> None:
        """Nothing stands after the rows."""


def csv_lines(rows: Rows, block: Block) -> Iterator[bytes]:
    """Every row kept of the block: layers in row order, of each the alternatives in the order asked for.

    Counts are empty where the alternative does not apply.
    """
    columns, kept = (*_axes(rows, block), *_counted(block)), rows.kept(block)
    for start in range(0, len(kept), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        widths = [column.width(part) for column in columns]
        words = np.empty((len(rows.alternatives), sum(widths), len(kept[part])), dtype=np.uint32)
        for column, cells in zip(columns, np.split(words, np.cumsum(widths)[:-1], axis=1), strict=True):
            column.write(cells, part)
        lines = words.transpose(2, 0, 1)
        yield (lines if kept[part].all() else lines[kept[part]]).tobytes().translate(None, b"\0")


class _Texts:
    """A column of cells out of a table: `chosen` holds places in it by alternative and layer, or by one of them."""

    def __init__(self, table: Words, chosen: npt.NDArray[np.integer[Any]]) -> None:
        self.table, self.chosen = table.T.copy(), chosen

    def width(self, part: slice) -> int:
        """The words of the longest text, or of the first one where that is all there is."""
        return len(self.table) if self._among(part).any() else max(int(np.count_nonzero(self.table[:, 0])), 1)

    def write(self, cells: Words, part: slice) -> None:
        chosen = self._among(part)
        for at in range(cells.shape[1]):
            cells[:, at] = self.table[at].take(chosen, mode="clip")

    def _among(self, part: slice) -> npt.NDArray[np.integer[Any]]:
        return self.chosen[:, part] if self.chosen.shape[1] > 1 else self.chosen


class _Numbers:
    """A column of counts by alternative and layer, empty where one does not apply."""

    def __init__(self, counts: Values, applies: Mask) -> None:
        self.counts, self.applies = counts, applies

    def width(self, part: slice) -> int:
        """With its comma a number takes a word for three digits, and one for every four that are left."""
        return 1 + -(-max(len(str(self.counts[:, part].max())) - 3, 0) // _WORD)

    def write(self, cells: Words, part: slice) -> None:
        """From the last word backwards: three digits and a comma, then four digits for as long as any are left."""
        power, words, rest = _LAST_DIGITS, _digits(3, ","), self.counts[:, part]
        for at in reversed(range(cells.shape[1])):
            above = rest // power
            place = rest - above * power
            if at:  # which of the first word is clear: there is nothing above it
                place += (above > 0) * power
            words.take(place, out=cells[:, at], mode="clip")
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
