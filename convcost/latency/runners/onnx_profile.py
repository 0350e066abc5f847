"""ONNX Runtime's own profile, traced back to the graph's layers."""

from __future__ import annotations

import json
import tempfile
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

import onnx
import onnxruntime as ort  # type: ignore[import-untyped]  # it ships no annotations

from convcost.dataclasses import dataclass
from convcost.graph import Graph
from convcost.latency.attribution import Attribution, Kernel, attribute_kernels
from convcost.latency.profile import Profile
from convcost.latency.runners.onnx_nodes import nodes_session
from convcost.latency.runners.onnx_session import bound_call, file_session, session_options
from convcost.latency.setting import Setting
from convcost.latency.workload import GraphNodes, OnnxFile, TorchModule, graph_of

_KERNEL_TIME = "_kernel_time"
_RUN = "SequentialExecutor::Execute"
_MICROSECOND = 1e-6

Key: TypeAlias = str
"""What a profile and a model file call a node: its name, or its operator where it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelTime:
    """One execution of a kernel, in seconds."""

    key: Key
    seconds: float


def profile_session(workload: GraphNodes | OnnxFile | TorchModule, setting: Setting, runs: int) -> Profile:
    """Runs a second session with profiling on, and reads which kernels it made of the model.

    Both the profile and the optimised model go through a temporary folder; a model with its weights in one
    file is written there whole.
    """
    graph = graph_of(workload)
    with tempfile.TemporaryDirectory(prefix="convcost-") as folder:
        optimised = Path(folder) / "optimised.onnx"
        options = session_options(setting)
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        options.optimized_model_filepath = str(optimised)
        session = _session(workload, setting, options)
        whole = _timed_runs(session, graph, setting, runs)
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
        nodes = list(onnx.load(optimised, load_external_data=False).graph.node)
    kernels = [
        Kernel(name=node.name, operator=node.op_type, reads=tuple(node.input), writes=tuple(node.output))
        for node in nodes
    ]
    keys = [node.name or node.op_type for node in nodes]
    return collect(split_runs(events)[-runs:], keys, attribute_kernels(kernels, graph), whole)


def split_runs(events: Iterable[dict[str, object]]) -> list[list[KernelTime]]:
    """The kernels of each run, in order. Format: the profile is a Chrome trace, its times whole microseconds."""
    spans = []
    kernels = []
    for event in events:
        match event:
            case {"name": str(name), "ts": int(begin), "dur": int(duration), **rest}:
                if name == _RUN:
                    spans.append((begin, begin + duration))
                elif name.endswith(_KERNEL_TIME):
                    kernels.append((begin, _key(name.removesuffix(_KERNEL_TIME), rest), duration * _MICROSECOND))
    return [
        [KernelTime(key=key, seconds=seconds) for at, key, seconds in kernels if begin <= at <= end]
        for begin, end in sorted(spans)
    ]


def collect(
    runs: Sequence[Sequence[KernelTime]], keys: Sequence[Key], attribution: Attribution, whole: Sequence[float]
) -> Profile:
    """Sums kernels' times by layer; kernels of one name are told apart by their order."""
    by_layer: list[dict[str, float]] = []
    unattributed = []
    for run in runs:
        positions: dict[Key, deque[int]] = defaultdict(deque)
        for position, key in enumerate(keys):
            positions[key].append(position)
        seconds: dict[str, float] = defaultdict(float)
        rest = 0.0
        for kernel in run:
            waiting = positions[kernel.key]
            layer = attribution.layers[waiting.popleft()] if waiting else None
            if layer is None:
                rest += kernel.seconds
            else:
                seconds[layer] += kernel.seconds
        by_layer.append(dict(seconds))
        unattributed.append(rest)
    return Profile(
        runs=tuple(by_layer),
        unattributed=tuple(unattributed),
        whole=tuple(whole),
        timed_with=attribution.timed_with,
    )


def _key(name: str, rest: dict[str, object]) -> Key:
    """The profile calls a nameless node by its operator and index; the model's file has the operator alone."""
    match rest:
        case {"args": {"op_name": str(operator), "node_index": str(index)}} if name == f"{operator}_{index}":
            return operator
        case _:
            return name


def _session(
    workload: GraphNodes | OnnxFile | TorchModule, setting: Setting, options: ort.SessionOptions
) -> ort.InferenceSession:
    if isinstance(workload, OnnxFile):
        return file_session(workload.path, setting, options)[0]
    return nodes_session(graph_of(workload), setting, options)


def _timed_runs(session: ort.InferenceSession, graph: Graph, setting: Setting, runs: int) -> list[float]:
    call = bound_call(session, graph.inputs, setting)
    for _ in range(min(3, runs // 3)):
        call()
    whole = []
    for _ in range(runs):
        begun = time.perf_counter()
        call()
        whole.append(time.perf_counter() - begun)
    return whole
