"""Measurements made of numbers."""

from __future__ import annotations

from collections.abc import Sequence

from convcost.latency.health import Health
from convcost.latency.protocol import Samples
from convcost.latency.result import Measurement
from convcost.latency.setting import Setting

QUIET = Health(threads=1, processors=4, others=0.1, steal=0.0, throttled=0, governor="performance", load=0.5)


def measurement(times: Sequence[float], *, health: Health = QUIET, **samples: object) -> Measurement:
    described = {"first_run": 1.0, "converged": True, **samples}
    return Measurement(
        setting=Setting(runtime="torch"),
        samples=Samples(times=tuple(times), **described),
        health=health,
        device_name="a processor",
    )


def around(seconds: float, spread: float = 0.001) -> list[float]:
    """Forty times within `spread` of a value."""
    return [seconds * (1 + spread * ((step * 7) % 13 - 6) / 6) for step in range(40)]
