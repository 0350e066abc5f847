"""Runs a module on other tensors than its own, and gives it back exactly as it was."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

from convcost.dataclasses import dataclass
from convcost.graph import Weight
from convcost.sources.torch.inputs import mapped, tensors_in
from convcost.sources.torch.stored import Tree, stored_tensors


@dataclass(frozen=True, slots=True, kw_only=True)
class Borrowed:
    """The tensors a borrowed module runs on: which are weights, and what its plain attributes are called."""

    weights: tuple[Weight, ...]
    stored: tuple[tuple[torch.Tensor, Weight], ...]
    attributes: tuple[tuple[torch.Tensor, str], ...]


@contextmanager
def borrowed(tree: Tree, device: torch.device, *, frozen: bool = False) -> Iterator[Borrowed]:
    """The modules of a tree in eval mode with their tensors on `device`, which on meta hold no values.

    `frozen` parameters want no gradient, whatever those that they stand for want.
    Afterwards every submodule has its own attributes, tensors, training flag and class again. Raises
    `SourceError` for a lazy module that has never seen an input.
    """
    weights = stored_tensors(tree)
    unregistered = _unregistered(tree)
    saved = [_Saved(child) for child in (*(child for _, child in tree), *unregistered)]
    try:
        tensors = _Stand(device, {id(tensor) for tensor, _ in weights}, _scripted_tensors(tree), frozen=frozen)
        attributes = [item for path, child in tree for item in _swap_tensors(child, path, tensors)]
        for child in (*(child for _, child in tree), *unregistered):
            _stop_training(child)
        yield Borrowed(
            weights=tuple({weight.name: weight for _, weight in weights}.values()),
            stored=tuple((tensors(tensor), weight) for tensor, weight in weights),
            attributes=tuple(attributes),
        )
    finally:
        for state in saved:
            state.restore()


def _unregistered(tree: Tree) -> list[nn.Module]:
    """Modules kept in plain lists, tuples and dicts: torch does not know of them, but they may run."""
    known = {id(child) for _, child in tree}
    found: list[nn.Module] = []
    for _, parent in tree:
        for name, value in parent.__dict__.items():
            if not isinstance(value, (list, tuple, dict)) or not value or name in _REGISTERED:
                continue
            for item in value.values() if isinstance(value, dict) else value:
                if isinstance(item, nn.Module):
                    found.extend(child for child in item.modules() if id(child) not in known)
                    known.update(id(child) for child in item.modules())
    return found


def _scripted_tensors(tree: Tree) -> list[torch.Tensor]:
    """What compiled modules hold where Python cannot exchange it."""
    return [
        tensor
        for _, child in tree
        if isinstance(child, torch.jit.ScriptModule)
        for tensor in (*child.parameters(recurse=False), *child.buffers(recurse=False))
    ]


class _Stand:
    """Gives each tensor of a module its substitute, the same for the same tensor."""

    def __init__(self, device: torch.device, weights: set[int], fixed: list[torch.Tensor], *, frozen: bool) -> None:
        self._device = device
        self._frozen = frozen
        self._weights = weights
        self._substitutes = {id(tensor): (tensor, tensor) for tensor in fixed}

    def __call__(self, tensor: torch.Tensor) -> torch.Tensor:
        known = self._substitutes.get(id(tensor))
        if known is None:
            substitute = self._substitute(tensor)
            if self._frozen and isinstance(substitute, nn.Parameter) and substitute.requires_grad:
                substitute = nn.Parameter(substitute.detach(), requires_grad=False)
            known = self._substitutes[id(tensor)] = (tensor, substitute)
        return known[1]

    def _substitute(self, tensor: torch.Tensor) -> torch.Tensor:
        if id(tensor) not in self._weights:
            return tensor if tensor.is_meta else tensor.detach().clone()
        if self._device.type == "meta":
            return tensor if tensor.is_meta else _like(tensor, tensor.detach().to("meta"))
        if tensor.is_meta:
            return _like(tensor, torch.zeros_like(tensor, device=self._device))
        # Parameters are only read; a buffer may be a counter.
        return tensor if isinstance(tensor, nn.Parameter) else tensor.detach().clone()


def _like(original: torch.Tensor, substitute: torch.Tensor) -> torch.Tensor:
    if isinstance(original, nn.Parameter):
        return nn.Parameter(substitute, requires_grad=original.requires_grad)
    return substitute


def _swap_tensors(
    module: nn.Module, path: str, swap: Callable[[torch.Tensor], torch.Tensor]
) -> Iterator[tuple[torch.Tensor, str]]:
    """Replaces a module's tensors, those in its lists and dicts too; yields the plain ones with their names."""
    if isinstance(module, torch.jit.ScriptModule):
        return
    for table in (module._parameters, module._buffers):
        for name, tensor in table.items():
            if tensor is not None:
                table[name] = swap(tensor)  # type: ignore[assignment]  # a dict of either
    for name, value in module.__dict__.items():
        if not isinstance(value, _MAY_HOLD_TENSORS) or name in _REGISTERED:
            continue
        replaced = _swapped(value, swap)
        if replaced is not value:
            module.__dict__[name] = replaced
            if isinstance(replaced, torch.Tensor):
                yield replaced, f"{path}.{name}" if path else name


def _swapped(value: object, swap: Callable[[torch.Tensor], torch.Tensor]) -> object:
    if isinstance(value, torch.Tensor):
        return swap(value)
    if not isinstance(value, _MAY_HOLD_TENSORS):
        return value
    items = value.values() if isinstance(value, dict) else value
    # Most attributes are a few numbers or empty: only what may hold a tensor is looked at more closely.
    if any(isinstance(item, _MAY_HOLD_TENSORS) for item in items) and any(True for _ in tensors_in(value)):
        return mapped(value, lambda item: _swapped(item, swap))
    return value


def _stop_training(module: nn.Module) -> None:
    """Clears the flag itself: a module's own `eval()` may fold weights or refuse."""
    if isinstance(module, torch.jit.ScriptModule):
        module.eval()
    else:
        module.__dict__["training"] = False


class _Saved:
    """One module's attributes, and the contents of those that a run may change in place."""

    def __init__(self, module: nn.Module) -> None:
        self._module = module
        self._class = type(module)
        self._training = module.training
        self._scripted = isinstance(module, torch.jit.ScriptModule)
        self._buffers = [(t, t.detach().clone()) for t in module.buffers(recurse=False)] if self._scripted else []
        self._attributes = {} if self._scripted else dict(module.__dict__)
        self._contents = [
            (value, value.copy()) for value in self._attributes.values() if type(value) in _CONTAINERS and value
        ]
        self._empty = [value for value in self._attributes.values() if type(value) in _CONTAINERS and not value]

    def restore(self) -> None:
        if self._scripted:
            self._module.train(self._training)
            for tensor, content in self._buffers:
                tensor.detach().copy_(content)
            return
        if type(self._module) is not self._class:
            self._module.__class__ = self._class
        self._module.__dict__.clear()
        self._module.__dict__.update(self._attributes)
        for container in self._empty:
            container.clear()
        for container, content in self._contents:
            container.clear()
            container.extend(content) if isinstance(container, (list, deque)) else container.update(content)


_CONTAINERS = (dict, OrderedDict, list, set, deque)
_MAY_HOLD_TENSORS = (torch.Tensor, list, tuple, dict)
_REGISTERED = frozenset({"_parameters", "_buffers", "_modules"})
