"""Which rows of a block are written: one per layer and alternative, under one header."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from convcost.alternatives import Alternative
from convcost.dataclasses import dataclass
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
        alternatives = len(self.alternatives)
        return block.standard.applies.repeat(alternatives).reshape(-1, alternatives)


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


def undominated(found: Sequence[Evaluated]) -> tuple[Mask, ...]:
    """For each alternative, where it applies and no other has as little of everything and less of something."""
    applies = [one.applies for one in found]
    kept = [mask.copy() for mask in applies]
    for (a, one), (b, other) in itertools.combinations(enumerate(found), 2):
        one_no_more, other_no_more = _no_more(one, other), _no_more(other, one)
        kept[a] &= ~(applies[b] & other_no_more & ~one_no_more)
        kept[b] &= ~(applies[a] & one_no_more & ~other_no_more)
    return tuple(kept)


def _no_more(one: Evaluated, other: Evaluated) -> Mask:
    """Where one has no more than the other of anything compared; if that holds both ways, they have the same."""
    answer = np.asarray(one.counts[_COMPARED[0]] <= other.counts[_COMPARED[0]])
    for metric in _COMPARED[1:]:
        answer &= one.counts[metric] <= other.counts[metric]
    return answer
