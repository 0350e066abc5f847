"""A profiled run beside an unprofiled one: layers' times, scaled to what the whole takes undisturbed. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from convcost.dataclasses import dataclass
from convcost.latency import statistics
from convcost.latency.protocol import Protocol, Samples
from convcost.latency.result import APPROXIMATE_FROM, LayerLatencies, Measurement

_SHORT_RUNS = 10
_LONG_RUNS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Seconds by layer of each profiled run, the seconds of kernels no layer is known for, and of the whole runs.

    `timed_with` names the layer that carries another one's time.
    """

    runs: tuple[Mapping[str, float], ...]
    unattributed: tuple[float, ...]
    whole: tuple[float, ...]
    timed_with: Mapping[str, str]
    notes: tuple[str, ...] = ()


def profiled_runs(total: Measurement, protocol: Protocol) -> int:
    """How many runs to profile: as many as fill the least sampling time, within 10 and 100; 3 for what takes long."""
    wanted = max(_SHORT_RUNS, min(_LONG_RUNS, int(protocol.min_time / total.median)))
    return max(3, min(wanted, int(protocol.max_time / total.median)))


def scaled_layers(profile: Profile, total: Measurement, protocol: Protocol) -> LayerLatencies:
    """The profile's layers, stretched or shrunk alike so that with the unattributed rest they add up to the total."""
    names = list(dict.fromkeys(name for run in profile.runs for name in run))
    series = {name: [run.get(name, 0.0) for run in profile.runs] for name in names}
    rest = statistics.median(profile.unattributed)
    profiled = sum(statistics.median(times) for times in series.values()) + rest
    scale = total.median / profiled if profiled else 0.0
    overhead = max(0.0, statistics.median(profile.whole) / total.median - 1)
    return LayerLatencies(
        layers={
            name: dataclasses.replace(
                total,
                samples=_samples([scale * seconds for seconds in times], protocol),
                notes=(),
                approximate=overhead > APPROXIMATE_FROM,
            )
            for name, times in series.items()
            if any(times)
        },
        timed_with=profile.timed_with,
        # Without a layer that took any time, all of it is unattributed.
        unattributed=scale * rest if profiled else total.median,
        overhead=overhead,
        notes=profile.notes,
    )


def _samples(times: Sequence[float], protocol: Protocol) -> Samples:
    interval = statistics.median_interval(times)
    known = len(times) >= protocol.min_samples and interval.within(protocol.precision, of=statistics.median(times))
    return Samples(first_run=None, times=tuple(times), converged=known)
