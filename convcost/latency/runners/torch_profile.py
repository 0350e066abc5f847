"""Where a module's time goes, by hooks around each of its parts; they are gone afterwards."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field
from typing import Protocol

from torch import nn

from convcost.dataclasses import dataclass
from convcost.graph import Graph
from convcost.latency.hooked import ModuleTime, layer_times, nodes_by_module, timed_together
from convcost.latency.profile import Profile
from convcost.latency.runners.torch_gpu import require_gpu
from convcost.latency.runners.torch_module import call_of, prepared_module, torch_threads
from convcost.latency.runners.torch_nodes import NodeSequence, build_module
from convcost.latency.setting import Setting
from convcost.latency.workload import GraphNodes, OnnxFile, TorchModule, graph_of


class Stopwatch(Protocol):
    """A span of time that is read after the run, when a GPU has caught up."""

    def begin(self) -> None: ...

    def end(self) -> None: ...

    def milliseconds(self) -> float: ...


def profile_module(workload: GraphNodes | OnnxFile | TorchModule, setting: Setting, runs: int) -> Profile:
    """Times every part of the module in each run, after up to three that warm up."""
    graph = graph_of(workload)
    runnable = workload if isinstance(workload, TorchModule) else build_module(graph, setting)
    synchronize, stopwatch = _clockwork(setting)
    warm_up = min(3, runs // 3)
    with torch_threads(setting.threads), prepared_module(runnable, setting) as (module, _):
        call = call_of(module, runnable, setting)
        with _hooked(module, stopwatch, _paths(module, graph)) as spans:
            whole, recorded = [], []
            for _ in range(runs + warm_up):
                spans.clear()
                begun = time.perf_counter()
                call()
                synchronize()
                whole.append(time.perf_counter() - begun)
                recorded.append([span.time() for span in spans])
    return _profile(graph, recorded[warm_up:], whole[warm_up:])


def _profile(graph: Graph, recorded: list[list[ModuleTime]], whole: list[float]) -> Profile:
    calls = Counter(call.path for call in recorded[0])
    groups = nodes_by_module(graph.nodes, list(calls))
    times = [layer_times(run, groups) for run in recorded]
    return Profile(
        runs=tuple(each.layers for each in times),
        unattributed=tuple(each.unattributed for each in times),
        whole=tuple(whole),
        timed_with=timed_together(groups, calls),
    )


@dataclass(slots=True)
class _Span:
    path: str
    watch: Stopwatch
    inner: list[_Span] = field(default_factory=list)

    def time(self) -> ModuleTime:
        own = self.watch.milliseconds() - sum(span.watch.milliseconds() for span in self.inner)
        return ModuleTime(path=self.path, own=max(0.0, own) / 1000)


class _HostStopwatch:
    def __init__(self) -> None:
        self._begun = self._ended = 0.0

    def begin(self) -> None:
        self._begun = time.perf_counter()

    def end(self) -> None:
        self._ended = time.perf_counter()

    def milliseconds(self) -> float:
        return 1000 * (self._ended - self._begun)


@contextmanager
def _hooked(
    module: nn.Module, stopwatch: Callable[[], Stopwatch], paths: dict[nn.Module, str]
) -> Iterator[list[_Span]]:
    """Every call of every part becomes a span in the list, in the order the calls begin."""
    spans: list[_Span] = []
    open_spans: list[_Span] = []

    def before(part: nn.Module, _args: object) -> None:
        span = _Span(paths[part], stopwatch())
        if open_spans:
            open_spans[-1].inner.append(span)
        open_spans.append(span)
        spans.append(span)
        span.watch.begin()

    def after(_part: nn.Module, _args: object, _result: object) -> None:
        open_spans.pop().watch.end()

    handles = []
    try:
        for part in module.modules():
            handles.append(part.register_forward_pre_hook(before))
            handles.append(part.register_forward_hook(after, always_call=True))
        yield spans
    finally:
        for handle in handles:
            handle.remove()


def _paths(module: nn.Module, graph: Graph) -> dict[nn.Module, str]:
    """The path of each part; what was built from a graph is called after the graph's nodes."""
    if isinstance(module, NodeSequence):
        # The sequence itself has a path no layer's name can begin with.
        return {
            module: "",
            module.calls: "",
            **{call: node.name for call, node in zip(module.calls, graph.nodes, strict=True)},
        }
    return {part: path for path, part in module.named_modules()}


def _clockwork(setting: Setting) -> tuple[Callable[[], None], Callable[[], Stopwatch]]:
    if setting.device == "cuda":
        gpu = require_gpu()
        return gpu.synchronize, gpu.span
    return lambda: None, _HostStopwatch
