"""Anything a user may name to what can be measured: the graph it is read as, and how to run it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from convcost import sources
from convcost.errors import UsageError
from convcost.latency import GraphNodes, OnnxFile, TorchModule, Workload
from convcost.latency.runners.memory import allowed_bytes
from convcost.latency.workload import needed_bytes
from convcost.sources.request import Request, is_saved

if TYPE_CHECKING:
    from torch import nn


def workload_of(request: Request, *, seed: int = 0, max_bytes: int | None = None) -> Workload:
    """A target ready to be run, always with its graph.

    A PyTorch model is built with values only if that takes at most `max_bytes` (None: half of what is free).
    Raises `UsageError` for saved reports and revisions, which tell costs and cannot be run.
    """
    target = request.target
    if is_saved(target) or target.startswith("git:"):
        raise UsageError(f"{target} cannot be run", hint="name a model: a file or an import target")
    source = sources.source_of(target)
    if source.name == "torch":
        return _module(request, seed, max_bytes)
    if source.name == sources.PACKED_ONNX:
        raise UsageError(
            f"{target} cannot be run as it is", hint="unpack it into a file first, and name that: model.onnx"
        )
    graph = source.load(request)
    return OnnxFile(path=target, graph=graph) if source.name == "onnx" else GraphNodes(graph=graph)


def workload_of_module(
    module: nn.Module, inputs: Sequence[object] = (), kwargs: Mapping[str, object] | None = None
) -> Workload:
    """A live module ready to be run as it is, on what `forward` takes: tensors or shapes."""
    from convcost.sources.torch import runnable_of

    found = runnable_of(module, inputs, kwargs)
    return TorchModule(module=found.module, args=found.args, kwargs=found.kwargs, graph=found.graph)


def _module(request: Request, seed: int, max_bytes: int | None) -> TorchModule:
    from convcost.sources.torch import load_runnable

    limit = allowed_bytes(max_bytes)
    found = load_runnable(request, seed=seed, fits=lambda graph: needed_bytes(graph) <= limit)
    return TorchModule(module=found.module, args=found.args, kwargs=found.kwargs, graph=found.graph)
