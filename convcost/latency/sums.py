"""What a model's compared layers take together under each alternative: sums of what was measured layer by layer."""

from __future__ import annotations

from collections.abc import Sequence

from convcost.analysis.result import Json
from convcost.dataclasses import dataclass
from convcost.latency.candidates import CandidateLatencies
from convcost.latency.result import USELESS_FROM, Measurement, NotMeasurable
from convcost.latency.statistics import Interval

_MS = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencySum:
    """The medians of `layers` layers added up, in seconds, each layer measured alone.

    `interval` adds the intervals' ends, so it is wider than the 95 % of each: errors need not fall the same way.
    """

    median: float
    interval: Interval
    layers: int

    @property
    def uncertainty(self) -> float:
        """How far the interval's further end lies from the sum, as a share of it."""
        return max(self.interval.high - self.median, self.median - self.interval.low) / self.median

    @property
    def is_noisy(self) -> bool:
        """Whether three digits would say more than is known."""
        return self.uncertainty > USELESS_FROM

    def to_json(self) -> dict[str, Json]:
        return {
            "median_ms": self.median * _MS,
            "ci95_ms": [self.interval.low * _MS, self.interval.high * _MS],
            "layers": self.layers,
        }


def latency_sums(latencies: Sequence[CandidateLatencies]) -> tuple[LatencySum | NotMeasurable, ...]:
    """A sum for every alternative, in the comparison's order; where it does not apply, the layer as it is counts.

    Without a measurement of one layer there is no sum, and the reason names that layer.
    """
    alternatives = range(len(latencies[0].candidates)) if latencies else ()
    return tuple(_sum_at(position, latencies) for position in alternatives)


def standard_sum(latencies: Sequence[CandidateLatencies]) -> LatencySum | NotMeasurable:
    """The sum of the layers as they are."""
    return _sum([(each.layer.name, each.standard) for each in latencies])


def _sum_at(position: int, latencies: Sequence[CandidateLatencies]) -> LatencySum | NotMeasurable:
    return _sum([(each.layer.name, _chosen(each, position)) for each in latencies])


def _chosen(latencies: CandidateLatencies, position: int) -> Measurement | NotMeasurable:
    applies = latencies.layer.candidates[position].is_applicable
    return latencies.candidates[position] if applies else latencies.standard


def _sum(parts: Sequence[tuple[str, Measurement | NotMeasurable]]) -> LatencySum | NotMeasurable:
    measured: list[Measurement] = []
    for layer, found in parts:
        if isinstance(found, NotMeasurable):
            return NotMeasurable(reason=f"{layer}: {found.reason}", needed_bytes=found.needed_bytes)
        measured.append(found)
    return LatencySum(
        median=sum(each.median for each in measured),
        interval=Interval(
            low=sum(each.interval.low for each in measured), high=sum(each.interval.high for each in measured)
        ),
        layers=len(measured),
    )
