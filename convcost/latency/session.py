"""Workloads to measurements: opened together, sampled in turn, and everything left as it was."""

from __future__ import annotations

import contextlib
import importlib.util
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace

from convcost.dataclasses import dataclass
from convcost.errors import ConvcostError, MissingDependencyError, SourceError, UsageError
from convcost.latency.health import Snapshot, health_between, take_snapshot
from convcost.latency.protocol import Clock, Protocol, Samples, Started, collector_off, take_samples
from convcost.latency.result import Measurement, NotMeasurable
from convcost.latency.runners.prepared import Prepared, UnrunnableError, first_line
from convcost.latency.setting import Runtime, Setting
from convcost.latency.workload import GraphNodes, OnnxFile, OtherProcess, Runnable, TorchModule, graph_of

INTERRUPTED = NotMeasurable(reason="interrupted before its first sample")
"""What is said of everything that a keyboard interrupt left unmeasured."""

_NO_TIME = NotMeasurable(reason="the time was over before its first sample: give it more with --max-time")

_EXTRAS: dict[Runtime, str] = {"torch": "torch", "onnxruntime": "ort"}


def default_runtime(workload: Runnable) -> Runtime:
    """ONNX Runtime for files of its own format, torch for everything else."""
    return "onnxruntime" if isinstance(workload, OnnxFile) else "torch"


def measure(
    workloads: Mapping[str, Runnable],
    setting: Setting,
    protocol: Protocol | None = None,
    clock: Clock = time.perf_counter,
) -> dict[str, Measurement | NotMeasurable]:
    """Measures the workloads in turn with each other, so that what disturbs one disturbs all.

    What cannot be run says why, and the others are measured without it. After a keyboard interrupt the
    measurements are marked partial. Raises `MissingDependencyError` where the runtime is not installed.
    """
    require_runtime(setting)
    results: dict[str, Measurement | NotMeasurable] = dict.fromkeys(workloads, INTERRUPTED)
    ready: dict[str, _Ready] = {}
    with ExitStack() as stack:
        try:
            for name, workload in workloads.items():
                outcome = _start(workload, setting, stack)
                if isinstance(outcome, NotMeasurable):
                    results[name] = outcome
                else:
                    ready[name] = outcome
        except KeyboardInterrupt:
            return results
        before = _snapshot(ready)
        samples = _sampled(ready, protocol or Protocol(), clock)
        health = health_between(before, _snapshot(ready), threads=setting.threads)
    for (name, started), taken in zip(ready.items(), samples, strict=True):
        if taken.times:
            results[name] = Measurement(
                setting=setting,
                samples=taken,
                health=health,
                device_name=started.prepared.device_name,
                notes=started.notes,
            )
        elif not taken.partial:
            results[name] = _NO_TIME
    return results


def was_interrupted(results: Mapping[str, Measurement | NotMeasurable]) -> bool:
    """Whether the user broke this measurement off, so that no further one should begin."""
    return any(
        found.samples.partial if isinstance(found, Measurement) else found == INTERRUPTED for found in results.values()
    )


def require_runtime(setting: Setting) -> None:
    """Raises `MissingDependencyError` with the install command, or `UsageError` for what a runtime does not have."""
    if setting.compiled and setting.runtime != "torch":
        raise UsageError("only torch compiles models", hint="leave --compile out, or add --runtime torch")
    if importlib.util.find_spec(setting.runtime) is None:
        raise MissingDependencyError(
            f"measuring with {setting.runtime} needs it installed",
            hint=f"pip install 'convcost[{_EXTRAS[setting.runtime]}]'",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    started: Started
    prepared: Prepared
    notes: tuple[str, ...]


def _start(workload: Runnable, setting: Setting, stack: ExitStack) -> _Ready | NotMeasurable:
    """Opens a workload and runs it once; whatever a framework throws at that is the reason there is no measurement."""
    try:
        prepared = stack.enter_context(opened(workload, setting))
        with collector_off():
            first_run = prepared.subject(1)
            subject, notes = prepared.settle() if prepared.settle else (prepared.subject, ())
    except ConvcostError:
        raise
    except UnrunnableError as error:
        return NotMeasurable(reason=error.reason, needed_bytes=error.needed_bytes, detail=error.detail)
    except Exception as error:
        return NotMeasurable(reason=f"{setting.runtime} cannot run it: {first_line(error)}", detail=str(error))
    started = Started(subject=subject, first_run=first_run)
    return _Ready(started=started, prepared=prepared, notes=(*prepared.notes, *notes))


def _snapshot(ready: Mapping[str, _Ready]) -> Snapshot:
    """With what other processes do for us on our own side."""
    spent = 0.0
    for each in ready.values():
        if each.prepared.spent:
            with contextlib.suppress(RuntimeError):  # one that is gone has said so where it was asked to run
                spent += each.prepared.spent()
    now = take_snapshot()
    return replace(now, own=now.own + spent)


def _sampled(ready: Mapping[str, _Ready], protocol: Protocol, clock: Clock) -> tuple[Samples, ...]:
    try:
        return take_samples([each.started for each in ready.values()], protocol, clock)
    except RuntimeError as error:
        raise SourceError(
            f"a model that ran once failed while being measured: {first_line(error)}",
            hint="its result may depend on chance or on what ran before",
        ) from error


def opened(workload: Runnable, setting: Setting) -> AbstractContextManager[Prepared]:
    """The runner for a workload in a runtime, each loading its framework only here. Raises `UnrunnableError`."""
    match workload, setting.runtime:
        case OtherProcess(), _:
            from convcost.latency.runners.elsewhere import open_elsewhere

            return open_elsewhere(workload, setting)
        case TorchModule(), "torch":
            from convcost.latency.runners.torch_module import open_module

            return open_module(workload, setting)
        case OnnxFile(), "onnxruntime":
            from convcost.latency.runners.onnx_session import open_onnx

            return open_onnx(workload, setting)
        case TorchModule(graph=None), _:
            raise UnrunnableError("a module runs in ONNX Runtime only once it is exported to an ONNX file")
        case _, "torch":
            from convcost.latency.runners.torch_module import open_module
            from convcost.latency.runners.torch_nodes import build_module

            return open_module(build_module(graph_of(workload), setting), setting)
        case _:
            from convcost.latency.runners.onnx_nodes import open_nodes

            return open_nodes(GraphNodes(graph=graph_of(workload)), setting)
