"""A grid to counts, block by block: the rewrites and costs of one layer, run over many at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from convcost.alternatives import Alternative, Candidate, CountedMap, NotApplicable, Standard
from convcost.alternatives.compare import rewritten
from convcost.alternatives.counting import count_stages
from convcost.dataclasses import dataclass
from convcost.errors import ShapeError
from convcost.graph import Node
from convcost.graph.ops import Conv
from convcost.grids.axes import ATTRIBUTES, Grid
from convcost.grids.layer import layer_of
from convcost.grids.regions import Indices, Region, blocks, partition, selector
from convcost.grids.sizes import DisagreementError, Sizes, values_of

METRICS = ("macs", "params", "activation_bytes", "bytes_moved")
BLOCK = 1 << 15
"""Configurations held at a time: enough that Python's share is small, few enough for any machine."""

Codes: TypeAlias = npt.NDArray[np.int32]
Counts: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """One alternative all over a block: counts by `METRICS`, and for every layer 0 or the number of a reason.

    Where there is a reason there are no counts: they are 0.
    """

    counts: Counts
    reasons: Codes

    @property
    def applies(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.reasons == 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Part of a grid in row order. `places` says where it lies on each axis.

    `standard` is the layer as it is, with a reason where the attributes describe none, such as a kernel larger than its
    input. `texts[number]` is the reason of that number.
    """

    places: Region
    standard: Evaluated
    alternatives: tuple[Evaluated, ...]
    texts: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(map(len, self.places))


def evaluate(
    grid: Grid, alternatives: Sequence[Alternative], *, df: CountedMap = "output", most: int = BLOCK
) -> Iterator[Block]:
    """Every configuration under every alternative, at most so many at a time.

    The counts are those that comparing each layer on its own gives. Raises `UsageError` where one could pass 64 bits.
    """
    for places in blocks(grid.shape, most):
        yield evaluate_block(places, grid, alternatives, df)


def evaluate_block(places: Region, grid: Grid, alternatives: Sequence[Alternative], df: CountedMap) -> Block:
    """The same for one part of the grid."""
    return _Evaluation(grid=grid, places=places, df=df).block(alternatives)


@dataclass(slots=True)
class _Evaluation:
    """A block at work. `numbers` gives every reason its number, in the order they come up."""

    grid: Grid
    places: Region
    df: CountedMap
    numbers: dict[str, int] = field(default_factory=lambda: {"": 0})

    def block(self, alternatives: Sequence[Alternative]) -> Block:
        standard = self._empty()
        layers = self._fill(standard, Standard(), [tuple(np.arange(len(along)) for along in self.places)])
        found = []
        for alternative in alternatives:
            result = self._empty()
            result.reasons[...] = standard.reasons
            self._fill(result, alternative, layers)
            found.append(result)
        return Block(places=self.places, standard=standard, alternatives=tuple(found), texts=tuple(self.numbers))

    def _fill(self, result: Evaluated, alternative: Alternative, regions: Sequence[Region]) -> list[Region]:
        """Counts an alternative, in parts where layers take different ways; returns the regions that hold layers."""
        waiting, layers = list(regions), []
        while waiting:
            region = waiting.pop()
            try:
                layer, conv = self._layer(region)
            except DisagreementError as split:
                waiting.extend(partition(region, split.labels))
                continue
            except ShapeError as error:
                result.reasons[selector(region)] = self._number(error.message)
                continue
            try:
                self._count(result, region, alternative, rewritten(layer, conv, alternative))
                layers.append(region)
            except DisagreementError as split:
                waiting.extend(partition(region, split.labels))
        return layers

    def _count(
        self, result: Evaluated, region: Region, alternative: Alternative, stages: tuple[Node, ...] | NotApplicable
    ) -> None:
        where = selector(region)
        if isinstance(stages, NotApplicable):
            result.reasons[where] = self._number(stages.reason)
            return
        counted = Candidate(alternative=alternative, label="", formula="", stages=count_stages(stages, self.df))
        totals = (counted.cost.macs, counted.params, counted.activation_bytes, counted.cost.bytes_moved)
        for metric, total in enumerate(totals):
            result.counts[metric][where] = values_of(total)

    def _layer(self, region: Region) -> tuple[Node, Conv]:
        """The layers of a region as one; raises `ShapeError` where they are none."""
        sizes = {name: each.default for name, each in ATTRIBUTES.items() if each.default is not None}
        for at, axis in enumerate(self.grid.axes):
            sizes[axis.name] = axis.values[0] if len(axis.values) == 1 else self._along(at, region[at]).as_size
        return layer_of(sizes)

    def _along(self, at: int, chosen: Indices) -> Sizes:
        axis, axes = self.grid.axes[at], len(self.grid.axes)
        values = np.asarray(axis.values, dtype=np.int64)[self.places[at][chosen]]
        shape = [len(values) if each == at else 1 for each in range(axes)]
        return Sizes(values.reshape(shape), max(map(abs, axis.values)), ATTRIBUTES[axis.name].symbol)

    def _number(self, reason: str) -> int:
        return self.numbers.setdefault(reason, len(self.numbers))

    def _empty(self) -> Evaluated:
        shape = tuple(map(len, self.places))
        counts = np.zeros((len(METRICS), *shape), dtype=np.int64)
        return Evaluated(counts=counts, reasons=np.zeros(shape, dtype=np.int32))
