"""Whether the machine was fit for measuring: who else used it, and whether it slowed itself down."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from convcost.analysis.result import Json
from convcost.dataclasses import dataclass
from convcost.processes import cores

_STOLEN_TOO_MUCH = 0.02
"""Share of the processors' time that another virtual machine may take before timings are called noisy."""

_CROWDED_FROM = 0.1
"""Processors that others may use beyond the ones left free before they are in the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Counters at one moment; None where the system does not tell. Times are seconds of one processor."""

    at: float
    processors: int
    own: float
    busy: float | None = None
    stolen: float | None = None
    throttled: int | None = None
    governor: str | None = None
    load: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What happened to the machine between two snapshots; None where that could not be read.

    `others` is how many processors other programs kept busy on average, `steal` the share of all processors'
    time the host took away, `throttled` how often heat or a quota slowed them, `load` the one-minute average.
    """

    threads: int
    processors: int
    others: float | None = None
    steal: float | None = None
    throttled: int | None = None
    governor: str | None = None
    load: float | None = None

    @property
    def complaints(self) -> tuple[str, ...]:
        """Why timings taken meanwhile cannot be trusted; empty on a quiet machine, or one that tells nothing."""
        found = []
        if self.others is not None and self.others + self.threads > self.processors + _CROWDED_FROM:
            found.append(f"other programs used {self.others:.1f} of {self.processors} processors")
        if self.steal is not None and self.steal > _STOLEN_TOO_MUCH:
            found.append(f"the host took {self.steal:.0%} of the processors' time")
        if self.throttled:
            found.append(f"the processors were throttled {self.throttled} times")
        return tuple(found)

    def to_json(self) -> dict[str, Json]:
        return {
            "processors": self.processors,
            "others": _rounded(self.others),
            "steal": _rounded(self.steal),
            "throttled": self.throttled,
            "governor": self.governor,
            "load": self.load,
            "complaints": list(self.complaints),
        }


def take_snapshot(root: Path = Path("/")) -> Snapshot:
    """Reads what Linux shows under /proc and /sys; elsewhere only time and the process's own are known."""
    spent = os.times()
    busy, stolen = _processor_seconds(root)
    return Snapshot(
        at=time.monotonic(),
        processors=cores(),
        own=spent.user + spent.system + spent.children_user + spent.children_system,
        busy=busy,
        stolen=stolen,
        throttled=_throttle_count(root),
        governor=_text(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        load=_load(root),
    )


def health_between(before: Snapshot, after: Snapshot, *, threads: int) -> Health:
    """Differences of the counters; over less than a tick of the kernel's clock nothing is claimed."""
    elapsed = after.at - before.at
    if elapsed < 0.1:
        return Health(threads=threads, processors=after.processors, governor=after.governor, load=after.load)
    busy = _difference(before.busy, after.busy)
    stolen = _difference(before.stolen, after.stolen)
    throttled = _difference(before.throttled, after.throttled)
    return Health(
        threads=threads,
        processors=after.processors,
        others=None if busy is None else max(0.0, busy - (after.own - before.own)) / elapsed,
        steal=None if stolen is None else stolen / (elapsed * after.processors),
        throttled=None if throttled is None else int(throttled),
        governor=after.governor,
        load=after.load,
    )


def _processor_seconds(root: Path) -> tuple[float | None, float | None]:
    """Busy and stolen seconds of the processors together, since start. Format: proc(5), /proc/stat."""
    line = (_text(root / "proc/stat") or "").partition("\n")[0].split()
    if len(line) < 9 or line[0] != "cpu":
        return None, None
    ticks = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
    user, nice, system, _idle, _iowait, irq, softirq, steal = (int(field) / ticks for field in line[1:9])
    return user + nice + system + irq + softirq, steal


def _throttle_count(root: Path) -> int | None:
    counts = list(_throttle_counts(root))
    return sum(counts) if counts else None


def _throttle_counts(root: Path) -> Iterator[int]:
    """Heat (per core), and the quota of a container (cgroup v2)."""
    for path in (root / "sys/devices/system/cpu").glob("cpu[0-9]*/thermal_throttle/core_throttle_count"):
        if (text := _text(path)) and text.isdecimal():
            yield int(text)
    for line in (_text(root / "sys/fs/cgroup/cpu.stat") or "").splitlines():
        key, _, value = line.partition(" ")
        if key == "nr_throttled" and value.isdecimal():
            yield int(value)


def _load(root: Path) -> float | None:
    first = (_text(root / "proc/loadavg") or "").partition(" ")[0]
    return float(first) if first.replace(".", "", 1).isdecimal() else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return None


def _difference(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
