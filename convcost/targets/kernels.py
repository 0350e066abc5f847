"""Anything a user may name whose weights can be read: its graph, and where the values are."""

from __future__ import annotations

import dataclasses

from convcost import sources
from convcost.errors import UsageError
from convcost.graph import Graph
from convcost.sources.request import Request, is_archive, is_saved
from convcost.weights import FileKernels, KernelReader, ModuleKernels

_DRAWN = "its weights are the initial ones, drawn at random: nothing here was learned, and every excess is chance"
_AS_BUILT = "its weights are what the factory gave it: where that loads no trained ones, every excess is chance"


def kernels_of(request: Request, *, seed: int = 0) -> tuple[Graph, KernelReader]:
    """A graph and the reader of its weights; an ONNX file's stay where they are, a PyTorch model is built with them.

    A note says where nobody can know that weights were trained. Raises `UsageError` for targets that have none, and
    `SourceError` as `load` does.
    """
    target = request.target
    if is_saved(target) or target.startswith("git:"):
        raise UsageError(f"{target} has no weights to read", hint="name a model: an .onnx file or an import target")
    source = sources.source_of(target)
    if source.name == "torch":
        return _built(request, seed)
    if source.name == sources.PACKED_ONNX:
        raise UsageError(
            f"{target} is packed, and so are its weights", hint="unpack it into a file first, and name that"
        )
    return source.load(request), FileKernels()


def _built(request: Request, seed: int) -> tuple[Graph, KernelReader]:
    from convcost.sources.torch import load_runnable

    found = load_runnable(request, seed=seed, fits=lambda graph: True)
    note = _note(request.target)
    graph = dataclasses.replace(found.graph, notes=(*found.graph.notes, note)) if note else found.graph
    return graph, ModuleKernels(found.module)


def _note(target: str) -> str | None:
    """Library names come without trained weights; a saved module has those it was saved with."""
    if target.startswith(("torchvision:", "timm:")):
        return _DRAWN
    return None if is_archive(target) else _AS_BUILT
