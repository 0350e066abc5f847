"""A workload measured, or the reason why not as an error."""

from __future__ import annotations

from convcost.errors import SourceError, UsageError
from convcost.latency import (
    INTERRUPTED,
    PROCESSORS,
    RUNTIMES,
    Measurement,
    NotMeasurable,
    Processor,
    Protocol,
    Runtime,
    Setting,
    Workload,
    default_runtime,
    measure,
)

_OTHER_RUNTIME = "runtime= and device= choose what runs it, and where"


def measured(
    workload: Workload,
    *,
    runtime: Runtime | None,
    device: Processor,
    threads: int,
    max_time: float,
    max_bytes: int | None,
) -> Measurement:
    """Measures one thing by itself. `KeyboardInterrupt` passes on where there is no sample yet.

    Raises `UsageError` for a setting that does not exist, `SourceError` for what cannot be measured.
    """
    setting = Setting(runtime=runtime or default_runtime(workload), device=device, threads=threads, max_bytes=max_bytes)
    _refuse_unknown(setting, max_time)
    found = measure({"": workload}, setting, Protocol(max_time=max_time))[""]
    if found == INTERRUPTED:
        raise KeyboardInterrupt
    if isinstance(found, NotMeasurable):
        hint = "max_bytes sets how much memory it may take" if found.needed_bytes else _OTHER_RUNTIME
        raise SourceError(f"not measured: {found.reason}", hint=hint)
    return found


def _refuse_unknown(setting: Setting, max_time: float) -> None:
    if setting.runtime not in RUNTIMES:
        raise UsageError(f"'{setting.runtime}' is no runtime", hint=f"choose from {', '.join(RUNTIMES)}")
    if setting.device not in PROCESSORS:
        raise UsageError(f"'{setting.device}' is no device", hint=f"choose from {', '.join(PROCESSORS)}")
    if not max_time > 0:
        raise UsageError(f"max_time is {max_time}", hint="give it as seconds above 0")
