"""A target as something that can really be run: built with values, beside the graph that describes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import nn

from convcost.dataclasses import dataclass
from convcost.graph import Graph
from convcost.sources.request import Request
from convcost.sources.torch.capture import Subject, capture, input_dtype
from convcost.sources.torch.load import subject_of_module, with_subject
from convcost.sources.torch.quiet import torch_unchanged


@dataclass(frozen=True, slots=True, kw_only=True)
class Runnable:
    """A module on the CPU with the arguments of one call, and the graph that call was captured as."""

    module: nn.Module
    args: tuple[object, ...]
    kwargs: Mapping[str, object]
    graph: Graph


def of_module(module: nn.Module, inputs: object, keywords: Mapping[str, object]) -> Runnable:
    """See `runnable_of`."""
    # Compiled by torch or not, the module runs as it was given.
    found = _runnable(subject_of_module(module, inputs, keywords), seed=0, fits=lambda graph: True)
    return replace(found, module=module)


def load(request: Request, *, seed: int, fits: Callable[[Graph], bool]) -> Runnable:
    """See `load_runnable`."""
    return with_subject(request, lambda subject: _runnable(subject, seed, fits))


def _runnable(subject: Subject, seed: int, fits: Callable[[Graph], bool]) -> Runnable:
    graph = capture(subject)
    module, arguments = subject.module, subject.arguments
    if subject.rebuild is not None and fits(graph):
        with torch_unchanged():
            torch.manual_seed(seed)
            module = subject.rebuild()
        arguments = subject.arguments_for(module) if subject.arguments_for else arguments
    args, kwargs = arguments.on(torch.device("cpu"), input_dtype(module))
    return Runnable(module=module, args=args, kwargs=kwargs, graph=graph)
