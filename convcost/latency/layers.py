"""Per layer: a second, profiled run, scaled to the time of the undisturbed one."""

from __future__ import annotations

from convcost.errors import ConvcostError
from convcost.latency.profile import Profile, profiled_runs, scaled_layers
from convcost.latency.protocol import Protocol, collector_off
from convcost.latency.result import LayerLatencies, Measurement, NotMeasurable
from convcost.latency.runners.prepared import UnrunnableError, first_line
from convcost.latency.session import require_runtime
from convcost.latency.setting import Setting
from convcost.latency.workload import Workload

INTERRUPTED_PROFILE = NotMeasurable(reason="interrupted during the profiled run")


def measure_layers(
    workload: Workload, total: Measurement, protocol: Protocol | None = None
) -> LayerLatencies | NotMeasurable:
    """Where the time that `total` measured goes, in the same setting.

    The layers' names are those of the graph the workload was read as. Raises `MissingDependencyError` where the
    runtime is not installed.
    """
    setting, protocol = total.setting, protocol or Protocol()
    require_runtime(setting)
    if reason := _refusal(workload, total):
        return NotMeasurable(reason=reason)
    try:
        with collector_off():
            profile = _profile(workload, setting, profiled_runs(total, protocol))
    except ConvcostError:
        raise
    except UnrunnableError as error:
        return NotMeasurable(reason=error.reason, needed_bytes=error.needed_bytes, detail=error.detail)
    except KeyboardInterrupt:
        return INTERRUPTED_PROFILE
    except Exception as error:
        return NotMeasurable(reason=f"profiling failed: {first_line(error)}", detail=str(error))
    return scaled_layers(profile, total, protocol)


def _refusal(workload: Workload, total: Measurement) -> str | None:
    if total.setting.compiled:
        return "a compiled module runs as one piece and has no layers to time"
    if workload.graph is None:
        return "the module's layers are not known: it was not captured"
    return "interrupted before the profiled run" if total.samples.partial else None


def _profile(workload: Workload, setting: Setting, runs: int) -> Profile:
    if setting.runtime == "onnxruntime":
        from convcost.latency.runners.onnx_profile import profile_session

        return profile_session(workload, setting, runs)
    from convcost.latency.runners.torch_profile import profile_module

    return profile_module(workload, setting, runs)
