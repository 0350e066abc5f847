"""Measurements in words: times with no more digits than are known, and the verdict people need. Pure."""

from __future__ import annotations

import math

from convcost.latency import statistics
from convcost.latency.health import Health
from convcost.latency.result import Measurement, NotMeasurable
from convcost.latency.roofline import Bound

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
_ALIKE = 1.02
"""Ratio of counts below which they are called equal."""


def time_text(seconds: float, digits: int = 3) -> str:
    """A time in the unit that suits it.

    >>> time_text(0.012345), time_text(0.0000421, 1)
    ('12.3 ms', '40 µs')
    """
    if seconds <= 0:
        return "0 ms"
    size, unit = next((entry for entry in _UNITS if seconds >= entry[0]), _UNITS[-1])
    # Rounded first: 9.9996 has three digits as 10.0, not as 10.00.
    value = float(f"{seconds / size:.{digits - 1}e}")
    decimals = digits - 1 - math.floor(math.log10(value))
    return f"{value:.{max(decimals, 0)}f} {unit}"


def latency_text(measurement: Measurement | NotMeasurable) -> str:
    """The median with its interval; "about", and fewer digits, where noise or few samples allow no more."""
    if isinstance(measurement, NotMeasurable):
        return "not measured"
    if measurement.is_noisy:
        return f"about {time_text(measurement.median, 1)} (noisy)"
    if measurement.has_few_samples:
        return f"about {time_text(measurement.median, 2)} ({len(measurement.samples.times)} samples)"
    mark = "~" if measurement.approximate else ""
    tail = "" if measurement.samples.converged else ", not converged"
    return f"{mark}{time_text(measurement.median)} ±{max(measurement.uncertainty, 0.001):.1%}{tail}"


def spread_text(measurement: Measurement) -> str:
    """From the tenth to the ninetieth percentile, with as many digits as the median has."""
    digits = 1 if measurement.is_noisy else 2 if measurement.has_few_samples else 3
    return f"{time_text(measurement.p10, digits)} to {time_text(measurement.p90, digits)}"


def setting_text(measurement: Measurement) -> str:
    """The line that is always printed: runtime, processor, threads, and how much was measured."""
    samples = measurement.samples
    first = f", first run {time_text(samples.first_run)}" if samples.first_run is not None else ""
    calls = f" of {samples.calls} calls" if samples.calls > 1 else ""
    return f"{runtime_text(measurement)}; {len(samples.times)} samples{calls}, {measurement.outliers} outliers{first}"


def runtime_text(measurement: Measurement) -> str:
    """Runtime, processor and threads alone, which measurements made in turn share."""
    setting = measurement.setting
    where = measurement.device_name or setting.device
    threads = "1 thread" if setting.threads == 1 else f"{setting.threads} threads"
    return f"{setting.runtime}{' compiled' if setting.compiled else ''} on {where}, {threads}"


def health_text(health: Health) -> str:
    """Load, steal, throttling and governor, each where the system tells."""
    parts = [
        f"load {health.load:.2f}" if health.load is not None else "",
        f"others used {health.others:.1f} of {health.processors} processors" if health.others is not None else "",
        f"steal {health.steal:.1%}" if health.steal is not None else "",
        f"throttled {health.throttled} times" if health.throttled is not None else "",
        f"governor {health.governor}" if health.governor else "",
    ]
    told = [part for part in parts if part]
    return ", ".join(told) if told else "this system does not tell how busy it was"


def verdict_text(
    *,
    macs: tuple[int, int],
    latencies: tuple[Measurement | NotMeasurable, Measurement | NotMeasurable],
    bound: Bound | None = None,
    threshold: float = 1.05,
) -> str:
    """What was hoped for beside what came of it; pairs are (standard, alternative), `bound` the alternative's.

    "8.4x fewer MACs, 4.5x faster: memory-bound", or "33 % fewer MACs but 1.3x slower here".
    """
    saving = saving_text(*macs)
    match latencies:
        case (Measurement() as before, Measurement() as after):
            return f"{saving}{_outcome(macs, before, after, bound, threshold)}"
        case (NotMeasurable(reason=reason), _) | (_, NotMeasurable(reason=reason)):
            return f"{saving}; not measured: {reason}"
    raise ValueError("latencies are measurements, or say why there are none")


def saving_text(before: int, after: int) -> str:
    """Two counts of MACs in words.

    >>> saving_text(840, 100), saving_text(300, 200), saving_text(100, 133)
    ('8.4x fewer MACs', '33 % fewer MACs', '33 % more MACs')
    """
    if not before or not after:
        return "no MACs to compare"
    if before >= 2 * after:
        return f"{_times(before / after)} fewer MACs"
    if after >= 2 * before:
        return f"{_times(after / before)} more MACs"
    if max(before, after) <= _ALIKE * min(before, after):
        return "as many MACs"
    share = abs(after - before) / before
    return f"{100 * share:.0f} % {'fewer' if after < before else 'more'} MACs"


def _outcome(
    macs: tuple[int, int], before: Measurement, after: Measurement, bound: Bound | None, threshold: float
) -> str:
    fewer = macs[0] > _ALIKE * macs[1]
    more = macs[1] > _ALIKE * macs[0]
    speed_up = before.median / after.median
    match statistics.compare_samples(before.samples.times, after.samples.times, threshold=threshold):
        case "faster":
            short = fewer and bound is not None and speed_up < macs[0] / macs[1]
            reason = f": {bound}-bound" if short else ""
            return f" but {_times(speed_up)} faster here" if more else f", {_times(speed_up)} faster{reason}"
        case "slower":
            return f"{' but' if fewer else ','} {_times(1 / speed_up)} slower here"
        case "same":
            return f"{' but no faster' if fewer else ' but no slower' if more else ', as fast'} here"
        case "cannot tell":
            return "; too noisy here to tell which is faster"


def _times(ratio: float) -> str:
    digits = 0 if ratio >= 10 else 1 if ratio >= 1.1 else 2
    return f"{ratio:.{digits}f}x"
