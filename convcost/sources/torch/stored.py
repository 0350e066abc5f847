"""What a module stores: its parameters and buffers, each once."""

from __future__ import annotations

from typing import TypeAlias

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from convcost.errors import SourceError
from convcost.graph import Role, Weight
from convcost.sources.torch.call import dtype_of
from convcost.sources.torch.tied import owners_of

Tree: TypeAlias = tuple[tuple[str, nn.Module], ...]
"""A module and all below it, by path, each under the name it was registered by first."""


def tree_of(module: nn.Module) -> Tree:
    """Walked once for a run, because torch walks deep models slowly."""
    return tuple(module.named_modules())


def stored_tensors(tree: Tree) -> list[tuple[torch.Tensor, Weight]]:
    """Every parameter, then every buffer, with the weight that it is, or that it is a part of (as `owners_of` says).

    Raises `SourceError` for a lazy module that has never seen an input.
    """
    named = [*_parameters(tree), *_buffers(tree)]
    for name, tensor, _ in named:
        if is_lazy(tensor):
            raise SourceError(f"'{name}' has no shape yet: the module is lazy", hint="run it once on a real input")
    owners = owners_of([(tensor, role) for _, tensor, role in named])
    weights = [_weight(*each) for each in named]
    return [(tensor, weights[owner]) for (_, tensor, _), owner in zip(named, owners, strict=True)]


def _weight(name: str, tensor: torch.Tensor, role: Role) -> Weight:
    shape, dtype = tuple(tensor.shape), dtype_of(tensor)
    return Weight(name=name, shape=shape, dtype=dtype, role=role, trainable=tensor.requires_grad)


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
