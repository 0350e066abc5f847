"""PyTorch models to Graph: found, run once without arithmetic, and lowered to typed ops."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from convcost.errors import MissingDependencyError
from convcost.graph import Graph
from convcost.graph.caller import Caller
from convcost.sources.request import Request

if TYPE_CHECKING:
    from torch import nn

    from convcost.sources.torch.peers import PeerCount
    from convcost.sources.torch.runnable import Runnable

__all__ = ["ask_peer", "callers_of", "graph_of", "is_program", "load_runnable", "load_torch", "runnable_of"]


def load_torch(request: Request) -> Graph:
    """The network a PyTorch target names; runs the target's code, never loads pretrained weights.

    Raises `SourceError` for what cannot be found, built or run, `MissingDependencyError` without PyTorch.
    """
    _require_torch(f"'{request.target}'")
    from convcost.sources.torch.load import load

    return load(request)


def load_runnable(request: Request, *, seed: int, fits: Callable[[Graph], bool]) -> Runnable:
    """The module a PyTorch target names, built on the CPU with initial weights drawn from `seed`.

    Where its graph does not fit, the module keeps parameters without values (on the meta device). Raises as
    `load_torch` does.
    """
    _require_torch(f"'{request.target}'")
    from convcost.sources.torch.runnable import load

    return load(request, seed=seed, fits=fits)


def runnable_of(module: nn.Module, inputs: Sequence[object], kwargs: Mapping[str, object] | None = None) -> Runnable:
    """A live module with its arguments on the CPU, shapes made tensors, and its graph; raises as `graph_of` does."""
    _require_torch("an nn.Module")
    from convcost.sources.torch.runnable import of_module

    return of_module(module, inputs, kwargs or {})


def ask_peer(request: Request, peer: str) -> tuple[Graph, PeerCount]:
    """The graph a PyTorch target names, and what another counter (`fvcore` or `torch`) says of the same module.

    fvcore runs the model on values, torch's counter without them where it can. Raises as `load_torch` does, and
    `MissingDependencyError` where the peer is not installed.
    """
    _require_torch(f"'{request.target}'")
    from convcost.sources.torch.peers import ask

    return ask(request, peer)


def is_program(target: str) -> bool:
    """Whether a PyTorch target is a file that holds code instead of modules: an exported program or TorchScript."""
    _require_torch(f"'{target}'")
    from convcost.sources.torch import archive

    return archive.is_program(target)


def callers_of(request: Request) -> tuple[Graph, Mapping[str, Caller]]:
    """The graph a PyTorch target names, and by the name of every node, the module and function that called it.

    Raises as `load_torch` does.
    """
    _require_torch(f"'{request.target}'")
    from convcost.sources.torch.callers import callers_of_request

    return callers_of_request(request)


def graph_of(module: nn.Module, inputs: Sequence[object] = (), kwargs: Mapping[str, object] | None = None) -> Graph:
    """The network of a live module, in eval mode; the module is left exactly as it was, also after an error.

    `inputs` and `kwargs` are what `forward` takes, where a tensor may be given as itself, as a shape tuple
    or as an `InputSpec`, inside tuples, lists and dicts as well. Raises `SourceError` when the model fails.
    """
    _require_torch("an nn.Module")
    from convcost.sources.torch.load import graph_of_module

    return graph_of_module(module, inputs, kwargs or {})


def _require_torch(what: str) -> None:
    if importlib.util.find_spec("torch") is None:
        raise MissingDependencyError(f"{what} needs PyTorch", hint="pip install 'convcost[torch]'")
