"""Which rows of a block are written: one per layer and alternative, under one header."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from convcost.alternatives import Alternative
from convcost.grids.axes import Grid
from convcost.grids.evaluate import METRICS, Block, Evaluated

Mask: TypeAlias = npt.NDArray[np.bool_]
_COMPARED = tuple(METRICS.index(metric) for metric in ("macs", "params", "activation_bytes"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What is in a file of rows: the grid's axes, then the alternative and its counts, then why there are none.

    With `pareto`, of every layer those alternatives alone that apply and that no other one beats in MACs, parameters
    and activations together.
    """

    grid: Grid
    alternatives: tuple[Alternative, ...]
    pareto: bool = False

    @property
    def header(self) -> tuple[str, ...]:
        return (*(axis.name for axis in self.grid.axes), "alternative", *METRICS, "reason")

    @property
    def labels(self) -> tuple[str, ...]:
        """The alternatives as `--alternatives` takes them."""
        return tuple(map(written, self.alternatives))

    def kept(self, block: Block) -> Mask:
        """For every layer (flat, in order) and alternative: whether it has a row. What is no layer has none."""
        if self.pareto:
            return np.stack([mask.reshape(-1) for mask in undominated(block.alternatives)], axis=1)
        exists = block.standard.applies.reshape(-1, 1)
        return np.broadcast_to(exists, (exists.size, len(self.alternatives)))


def written(alternative: Alternative) -> str:
    """`grouped[groups=4]`: the name, and the options that differ from the family's defaults.

    >>> from convcost.alternatives import Grouped
    >>> written(Grouped(groups=8))
    'grouped[groups=8]'
    """
    defaults = type(alternative)().options()
    options = {name: value for name, value in alternative.options().items() if value != defaults[name]}
    listed = ",".join(f"{name}={str(value).lower()}" for name, value in options.items())
    return f"{alternative.name}[{listed}]" if listed else alternative.name


def undominated(found: Sequence[Evaluated]) -> Iterator[Mask]:
    """For each alternative, where it applies and no other has as little of everything and less of something."""
    for one in found:
        beaten = ~one.applies
        for other in found:
            if other is not one:
                beaten |= other.applies & _beats(other, one)
        yield ~beaten


def _beats(one: Evaluated, other: Evaluated) -> Mask:
    pairs = [(one.counts[metric], other.counts[metric]) for metric in _COMPARED]
    no_more = np.logical_and.reduce([a <= b for a, b in pairs])
    less = np.logical_or.reduce([a < b for a, b in pairs])
    return np.asarray(no_more & less)
