"""What a module stores: its parameters and buffers, each once."""

from __future__ import annotations

from typing import TypeAlias

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from convcost.errors import SourceError
from convcost.graph import Role, Weight
from convcost.sources.torch.call import dtype_of
from convcost.sources.torch.storage import storage_of

Tree: TypeAlias = tuple[tuple[str, nn.Module], ...]
"""A module and all below it, by path, each under the name it was registered by first."""


def tree_of(module: nn.Module) -> Tree:
    """Walked once for a run, because torch walks deep models slowly."""
    return tuple(module.named_modules())


def stored_tensors(tree: Tree) -> list[tuple[torch.Tensor, Weight]]:
    """Every parameter, then every buffer, with its weight; tensors that lie in the same memory share one.

    Raises `SourceError` for a lazy module that has never seen an input.
    """
    found: list[tuple[torch.Tensor, Weight]] = []
    first: dict[object, Weight] = {}
    for name, tensor, role in (*_parameters(tree), *_buffers(tree)):
        if is_lazy(tensor):
            raise SourceError(f"'{name}' has no shape yet: the module is lazy", hint="run it once on a real input")
        weight = Weight(
            name=name,
            shape=tuple(tensor.shape),
            dtype=dtype_of(tensor),
            role=role,
            trainable=tensor.requires_grad,
        )
        found.append((tensor, first.setdefault(_place(tensor), weight)))
    return found


def _parameters(tree: Tree) -> list[tuple[str, torch.Tensor, Role]]:
    return [
        (f"{path}.{name}" if path else name, tensor, Role.PARAMETER)
        for path, module in tree
        for name, tensor in module._parameters.items()
        if tensor is not None
    ]


def _buffers(tree: Tree) -> list[tuple[str, torch.Tensor, Role]]:
    return [
        (f"{path}.{name}" if path else name, tensor, _buffer_role(tensor))
        for path, module in tree
        for name, tensor in module._buffers.items()
        if tensor is not None
    ]


def _buffer_role(tensor: torch.Tensor) -> Role:
    """Integer buffers (counters, look-up indices) are constants rather than learned statistics."""
    return Role.BUFFER if tensor.is_floating_point() or tensor.is_complex() else Role.CONSTANT


def _place(tensor: torch.Tensor) -> object:
    """Where a tensor lies; tensors of no elements, or of no plain memory, are only ever themselves."""
    storage = storage_of(tensor)
    if storage is None or tensor.layout is not torch.strided or not tensor.numel():
        return id(tensor)
    return storage, tensor.storage_offset(), tensor.shape, tensor.stride()
