"""A grid in a few numbers: how often each alternative applies, what it saves, and how often nothing beats it."""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import field

import numpy as np

from convcost import __version__
from convcost.alternatives import CountedMap
from convcost.analysis import Json
from convcost.dataclasses import dataclass
from convcost.grids.evaluate import METRICS, Block, Evaluated
from convcost.grids.rows import Mask, Rows, undominated

SCHEMA = "convcost/grid/1"
_MACS, _PARAMS = METRICS.index("macs"), METRICS.index("params")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratios:
    """One count of an alternative over the standard layer's: extremes, and the geometric mean over all layers.

    None throughout where the alternative applies to no layer.
    """

    least: float | None
    mean: float | None
    most: float | None

    def to_json(self) -> dict[str, Json]:
        return {"least": self.least, "mean": self.mean, "most": self.most}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlternativeSummary:
    """One alternative over all layers of a grid, in numbers of layers and ratios to the standard ones.

    `unbeaten` is where it is not dominated in MACs, parameters and activations together, `fewest_macs` where none has
    fewer (ties count for each), `more_macs` where it has more than the standard layer. `reasons` say why and how often
    it does not apply.
    """

    label: str
    applies: int
    unbeaten: int
    fewest_macs: int
    more_macs: int
    macs: Ratios
    params: Ratios
    reasons: tuple[tuple[str, int], ...]

    def to_json(self) -> dict[str, Json]:
        return {
            "alternative": self.label,
            "applies": self.applies,
            "unbeaten": self.unbeaten,
            "fewest_macs": self.fewest_macs,
            "more_macs": self.more_macs,
            "ratio_macs": self.macs.to_json(),
            "ratio_params": self.params.to_json(),
            "not_applicable": _reasons_json(self.reasons),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class GridSummary:
    """`configurations` are all combinations, `layers` those that describe one; `no_layers` says what the others are."""

    rows: Rows
    df: CountedMap
    configurations: int
    layers: int
    no_layers: tuple[tuple[str, int], ...]
    alternatives: tuple[AlternativeSummary, ...]

    def to_json(self) -> dict[str, Json]:
        """The document of `docs/schema/grid-1.json`."""
        return {
            "schema": SCHEMA,
            "convcost": __version__,
            "convention": {"df": self.df},
            "axes": [{"name": axis.name, "values": list(axis.shown)} for axis in self.rows.grid.axes],
            "configurations": self.configurations,
            "layers": self.layers,
            "no_layers": _reasons_json(self.no_layers),
            "alternatives": [each.to_json() for each in self.alternatives],
        }


@dataclass(slots=True)
class _RatioTally:
    least: float = math.inf
    most: float = 0.0
    logarithms: float = 0.0
    count: int = 0

    def add(self, found: Evaluated, standard: Evaluated, metric: int) -> None:
        applies = found.applies
        if not applies.any():
            return
        ratios = found.counts[metric][applies] / standard.counts[metric][applies]
        self.least, self.most = min(self.least, float(ratios.min())), max(self.most, float(ratios.max()))
        self.logarithms += float(np.log(ratios).sum())
        self.count += ratios.size

    def merge(self, other: _RatioTally) -> None:
        self.least, self.most = min(self.least, other.least), max(self.most, other.most)
        self.logarithms += other.logarithms
        self.count += other.count

    def ratios(self) -> Ratios:
        if not self.count:
            return Ratios(least=None, mean=None, most=None)
        return Ratios(least=self.least, mean=math.exp(self.logarithms / self.count), most=self.most)


@dataclass(slots=True)
class _AlternativeTally:
    applies: int = 0
    unbeaten: int = 0
    fewest_macs: int = 0
    more_macs: int = 0
    macs: _RatioTally = field(default_factory=_RatioTally)
    params: _RatioTally = field(default_factory=_RatioTally)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, found: Evaluated, block: Block, unbeaten: Mask) -> None:
        self.applies += int(np.count_nonzero(found.applies))
        self.unbeaten += int(np.count_nonzero(unbeaten))
        self.more_macs += int(np.count_nonzero(found.applies & (found.counts[_MACS] > block.standard.counts[_MACS])))
        self.macs.add(found, block.standard, _MACS)
        self.params.add(found, block.standard, _PARAMS)
        self.reasons.update(_counted(found.reasons[block.standard.applies], block))

    def merge(self, other: _AlternativeTally) -> None:
        self.applies += other.applies
        self.unbeaten += other.unbeaten
        self.fewest_macs += other.fewest_macs
        self.more_macs += other.more_macs
        self.macs.merge(other.macs)
        self.params.merge(other.params)
        self.reasons.update(other.reasons)


class Tally:
    """Adds blocks up, one after the other, into a summary."""

    def __init__(self, alternatives: int) -> None:
        self.layers = 0
        self.no_layers: Counter[str] = Counter()
        self.alternatives = [_AlternativeTally() for _ in range(alternatives)]

    def add(self, block: Block) -> None:
        self.layers += int(np.count_nonzero(block.standard.applies))
        self.no_layers.update(_counted(block.standard.reasons, block))
        unbeaten = undominated(block.alternatives)
        for tally, found, mask in zip(self.alternatives, block.alternatives, unbeaten, strict=True):
            tally.add(found, block, mask)
        for tally, fewest in zip(self.alternatives, _fewest_macs(block), strict=True):
            tally.fewest_macs += int(np.count_nonzero(fewest))

    def merge(self, other: Tally) -> None:
        """Adds another's blocks, those that come after in the grid."""
        self.layers += other.layers
        self.no_layers.update(other.no_layers)
        for own, added in zip(self.alternatives, other.alternatives, strict=True):
            own.merge(added)

    def summary(self, rows: Rows, df: CountedMap) -> GridSummary:
        return GridSummary(
            rows=rows,
            df=df,
            configurations=rows.grid.size,
            layers=self.layers,
            no_layers=tuple(self.no_layers.most_common()),
            alternatives=tuple(
                AlternativeSummary(
                    label=label,
                    applies=tally.applies,
                    unbeaten=tally.unbeaten,
                    fewest_macs=tally.fewest_macs,
                    more_macs=tally.more_macs,
                    macs=tally.macs.ratios(),
                    params=tally.params.ratios(),
                    reasons=tuple(tally.reasons.most_common()),
                )
                for label, tally in zip(rows.labels, self.alternatives, strict=True)
            ),
        )


def _fewest_macs(block: Block) -> Iterator[Mask]:
    """For each alternative, where it applies and none that applies has fewer."""
    beyond = np.iinfo(np.int64).max
    macs = [np.where(found.applies, found.counts[_MACS], beyond) for found in block.alternatives]
    fewest = functools.reduce(np.minimum, macs)
    for found, own in zip(block.alternatives, macs, strict=True):
        yield found.applies & (own == fewest)


def _counted(reasons: np.ndarray, block: Block) -> dict[str, int]:
    if not reasons.any():
        return {}
    counts = np.bincount(reasons.reshape(-1))
    return {block.texts[number]: int(count) for number, count in enumerate(counts) if number and count}


def _reasons_json(reasons: Iterable[tuple[str, int]]) -> list[Json]:
    return [{"reason": text, "configurations": count} for text, count in reasons]
