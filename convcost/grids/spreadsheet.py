"""A block's rows as CSV, put together by NumPy: Python's own formatting would take longer than counting."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from convcost.dataclasses import dataclass
from convcost.grids.evaluate import METRICS, Block
from convcost.grids.files import BinaryStream
from convcost.grids.rows import Mask, Rows
from convcost.grids.sizes import Values

Room: TypeAlias = npt.NDArray[np.uint8]
Texts: TypeAlias = npt.NDArray[np.void]
Integers: TypeAlias = npt.NDArray[np.integer[Any]]
_Value = TypeVar("_Value", bound=np.generic)

_WORD = 4
_AT_ONCE = 4096
"""Layers written at a time: few enough for the processor's cache, enough that Python's share is small."""


def writer(stream: BinaryStream, rows: Rows) -> CsvWriter:
    """Writes the header."""
    stream.write((",".join(rows.header) + "\n").encode())
    return CsvWriter(stream=stream)


def encoded(rows: Rows, block: Block) -> Sequence[memoryview]:
    """The block's lines, thousands at a time: putting those together would only take memory and time."""
    return tuple(csv_lines(rows, block))


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvWriter:
    """Lines to a stream."""

    stream: BinaryStream

    def write(self, encoded: Sequence[memoryview]) -> None:
        for lines in encoded:
            self.stream.write(lines)

    def close(self) -> None:
        """Nothing stands after the rows."""


def csv_lines(rows: Rows, block: Block) -> Iterator[memoryview]:
    """Every row kept of the block: layers in row order, of each the alternatives in the order asked for.

    Counts are empty where the alternative does not apply.
    """
    columns = _Columns.of(rows, block)
    kept = rows.kept(block).T
    for start in range(0, kept.shape[1], _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        if (chosen := kept[:, part]).any():
            yield _packed(columns.lines(part, chosen))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cells:
    """Texts that end where their room does: what stands before the last `lengths` bytes of each means nothing."""

    texts: Texts
    lengths: Integers

    @classmethod
    def of(cls, texts: Sequence[str], end: str) -> _Cells:
        """Each text as a cell, with what follows it."""
        cells = [f"{_cell(text)}{end}".encode() for text in texts]
        width = max(map(len, cells))
        packed = np.frombuffer(b"".join(cell.rjust(width) for cell in cells), dtype=f"V{width}")
        return cls(texts=packed, lengths=np.array([len(cell) for cell in cells]))

    def take(self, chosen: Integers) -> _Cells:
        return _Cells(texts=self.texts.take(chosen), lengths=self.lengths.take(chosen))

    def kept(self, kept: Mask) -> _Cells:
        return _Cells(texts=_kept(self.texts, kept), lengths=_kept(self.lengths, kept))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """What a block's cells are made from: for each axis its texts and places among them, then values by alternative."""

    axes: tuple[tuple[_Cells, Integers], ...]
    labels: _Cells
    counts: tuple[tuple[Values, ...], ...]
    reasons: tuple[Integers, ...]
    texts: _Cells

    @classmethod
    def of(cls, rows: Rows, block: Block) -> _Columns:
        places = np.meshgrid(*block.places, indexing="ij")
        found = block.alternatives
        return cls(
            axes=tuple(
                (_Cells.of(axis.shown, ","), along.reshape(-1))
                for axis, along in zip(rows.grid.axes, places, strict=True)
            ),
            labels=_Cells.of(rows.labels, ",").take(np.arange(len(rows.labels)).reshape(-1, 1)),
            counts=tuple(tuple(one.counts[each].reshape(-1) for one in found) for each in range(len(METRICS))),
            reasons=tuple(one.reasons.reshape(-1) for one in found),
            texts=_Cells.of(block.texts, "\n"),
        )

    def lines(self, part: slice, kept: Mask) -> _Cells:
        """The rows kept of some layers, in order."""
        layer = _joined([texts.take(along[part]) for texts, along in self.axes], np.arange(1, kept.shape[1] + 1))
        reasons = _kept(np.stack([each[part] for each in self.reasons]), kept)
        any_reason = bool(reasons.any())
        ends = [*[","] * (len(METRICS) - 1), "," if any_reason else ",\n"]
        counts = [_kept(np.stack([each[part] for each in metric]), kept) for metric in self.counts]
        empty = reasons != 0 if any_reason else None
        numbers = [_numbers(each, empty, end) for each, end in zip(counts, ends, strict=True)]
        why = [self.texts.take(reasons)] if any_reason else []
        order = np.cumsum(kept.T, dtype=np.int64).reshape(kept.T.shape).T
        return _joined([layer.kept(kept), self.labels.kept(kept), *numbers, *why], _kept(order, kept))


def _kept(values: npt.NDArray[_Value], kept: Mask) -> npt.NDArray[_Value]:
    """What is given by alternative, by layer or by both, for the rows kept; as it is where those are all."""
    return values if kept.all() else np.broadcast_to(values, kept.shape)[kept]


def _numbers(counts: Values, empty: Mask | None, end: str) -> _Cells:
    """Counts, some of them empty: four digits a word, in the last one as many as `end` leaves room for."""
    fewest, most = len(str(counts.min())), len(str(counts.max()))
    lengths = np.full(counts.shape, fewest + len(end), dtype=np.int8)
    for power in range(fewest, most):
        lengths += (counts >= 10**power).view(np.int8)
    if empty is not None:
        lengths[empty] = len(end)
    digits = _WORD - len(end)
    words = np.empty((*counts.shape, 1 + -(-max(most - digits, 0) // _WORD)), dtype=np.uint32)
    rest = counts
    for at in reversed(range(words.shape[-1])):
        above = rest // 10**digits
        words[..., at] = _digits(digits, end).take(rest - above * 10**digits, mode="clip")
        digits, end, rest = _WORD, "", above
    return _Cells(texts=words.view(f"V{_WORD * words.shape[-1]}")[..., 0], lengths=lengths)


def _joined(columns: Sequence[_Cells], order: Integers) -> _Cells:
    """The columns as one, its cells in an order that counts from one.

    They are put together from the right: each text is laid over what means nothing of the one after it.
    """
    width = sum(column.texts.itemsize for column in columns)
    room = np.empty(order.size * width, dtype=np.uint8)
    ends = np.ascontiguousarray(order) * width
    for column in reversed(columns):
        _anywhere(room, column.texts.dtype)[ends - column.texts.itemsize] = column.texts
        ends -= column.lengths
    lengths = np.empty(order.size, dtype=np.int64)
    lengths[order - 1] = order * width - ends
    return _Cells(texts=room.view(f"V{width}"), lengths=lengths)


def _packed(lines: _Cells) -> memoryview:
    """One text after the other, laid from the last backwards: each over what means nothing of the one after it."""
    width = lines.texts.itemsize
    ends = np.cumsum(lines.lengths)
    room = np.empty(width + int(ends[-1]), dtype=np.uint8)
    _anywhere(room, lines.texts.dtype)[ends[::-1]] = lines.texts[::-1]  # NumPy assigns in order, the last one stays
    return room[width:].data


def _anywhere(room: Room, dtype: np.dtype[np.void]) -> Texts:
    """The room as texts that begin at any of its bytes."""
    return np.ndarray((room.size - dtype.itemsize + 1,), dtype=dtype, buffer=room, strides=(1,))


@functools.cache
def _digits(count: int, end: str) -> npt.NDArray[np.uint32]:
    """All numbers of so many digits, zeros before them, with what follows them: a word each."""
    return np.frombuffer("".join(f"{number:0{count}}{end}" for number in range(10**count)).encode(), dtype=np.uint32)


def _cell(text: str) -> str:
    """Quoted where CSV asks for it."""
    return '"{}"'.format(text.replace('"', '""')) if set(text) & set(',"\n') else text
