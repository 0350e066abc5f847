"""What was measured: small, frozen, and able to say itself in JSON."""

from __future__ import annotations

from collections.abc import Mapping

from convcost.analysis.result import Json
from convcost.dataclasses import dataclass
from convcost.latency import statistics
from convcost.latency.health import Health
from convcost.latency.protocol import Samples
from convcost.latency.setting import Setting

_MS = 1000.0
USELESS_FROM = 0.10
"""Half-width of the interval, as a share of the median, from which figures are not worth printing."""

FEWEST_FOR_AN_INTERVAL = 6
"""Samples below which no interval of order statistics reaches 95 %: 2 * 0.5**5 is still more than 5 %."""

APPROXIMATE_FROM = 0.25
"""Overhead of the profiled run from which per-layer times are marked approximate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotMeasurable:
    """Why there is no measurement; `needed_bytes` where memory is the reason, `detail` all that the runtime said."""

    reason: str
    needed_bytes: int | None = None
    detail: str = ""

    def to_json(self) -> dict[str, Json]:
        return {"reason": self.reason, "needed_bytes": self.needed_bytes}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One thing's latency, with at least one sample. Properties are seconds, JSON is milliseconds.

    `notes` are what a reader must know beside the numbers, such as weights made up in memory. With
    `approximate`, a profiler's own time distorts the figures.
    """

    setting: Setting
    samples: Samples
    health: Health
    device_name: str = ""
    notes: tuple[str, ...] = ()
    approximate: bool = False

    @property
    def median(self) -> float:
        return statistics.median(self.samples.times)

    @property
    def p10(self) -> float:
        return statistics.quantile(self.samples.times, 0.1)

    @property
    def p90(self) -> float:
        return statistics.quantile(self.samples.times, 0.9)

    @property
    def interval(self) -> statistics.Interval:
        return statistics.median_interval(self.samples.times)

    @property
    def uncertainty(self) -> float:
        """How far the interval's further end lies from the median, as a share of it."""
        return max(self.interval.high - self.median, self.median - self.interval.low) / self.median

    @property
    def outliers(self) -> int:
        return statistics.count_outliers(self.samples.times)

    @property
    def complaints(self) -> tuple[str, ...]:
        """Why the figures deserve doubt: an interval too wide to be useful, a drift, a machine unfit for measuring."""
        found = [*self.health.complaints] if not self.samples.converged else []
        if self.has_few_samples:
            found.append(f"only {len(self.samples.times)} samples were taken")
        elif not self.samples.converged and self.samples.drift is None:
            found.append(f"the median is known to ±{self.uncertainty:.1%} only")
        if (drift := self.samples.drift) is not None:
            found.append(f"times drifted by {drift:+.0%} while measuring")
        if self.samples.partial:
            found.append("interrupted before the median was known")
        return tuple(found)

    @property
    def has_few_samples(self) -> bool:
        """Whether the interval is merely the range of what was seen."""
        return len(self.samples.times) < FEWEST_FOR_AN_INTERVAL

    @property
    def is_noisy(self) -> bool:
        """Whether three digits would say more than is known."""
        return self.uncertainty > USELESS_FROM

    def to_json(self) -> dict[str, Json]:
        """The `latency` object of the JSON schemas, and after it what only `measure` needs."""
        return {**self.summary_json(), **self._detail_json()}

    def summary_json(self) -> dict[str, Json]:
        """The promised `latency` object, as layers and alternatives carry it."""
        first = self.samples.first_run
        return {
            "runtime": self.setting.runtime,
            "device": self.setting.device,
            "threads": self.setting.threads,
            "median_ms": self.median * _MS,
            "p10_ms": self.p10 * _MS,
            "p90_ms": self.p90 * _MS,
            "ci95_ms": [self.interval.low * _MS, self.interval.high * _MS],
            "samples": len(self.samples.times),
            "converged": self.samples.converged,
            "first_run_ms": None if first is None else first * _MS,
            "outliers": self.outliers,
            "partial": self.samples.partial,
            "approximate": self.approximate,
        }

    def _detail_json(self) -> dict[str, Json]:
        return {
            "device_name": self.device_name,
            "compiled": self.setting.compiled,
            "calls_per_sample": self.samples.calls,
            "warm_up_ms": self.samples.warm_up * _MS,
            "drift": self.samples.drift,
            "complaints": list(self.complaints),
            "health": self.health.to_json(),
            "notes": list(self.notes),
            "samples_ms": [seconds * _MS for seconds in self.samples.times],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerLatencies:
    """Where the time of a whole run went. `layers` and `unattributed` (seconds) add up to the total's median.

    `timed_with` names, for a layer without a time of its own, the one it was fused into or timed together with.
    `overhead` is how much longer the profiled run took, as a share of the unprofiled one.
    """

    layers: Mapping[str, Measurement]
    timed_with: Mapping[str, str]
    unattributed: float
    overhead: float
    notes: tuple[str, ...] = ()

    @property
    def is_approximate(self) -> bool:
        return self.overhead > APPROXIMATE_FROM

    @property
    def total(self) -> float:
        return sum(layer.median for layer in self.layers.values()) + self.unattributed

    def layer_json(self, name: str) -> Json:
        """The `latency` of one layer's row; null for a layer that is timed with another, or that nothing ran for."""
        return self.layers[name].summary_json() if name in self.layers else None

    def to_json(self) -> dict[str, Json]:
        return {
            "overhead": self.overhead,
            "approximate": self.is_approximate,
            "unattributed_ms": self.unattributed * _MS,
            "timed_with": dict(self.timed_with),
            "notes": list(self.notes),
        }
