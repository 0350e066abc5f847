"""Canonical layer names, so that one network reads the same from ONNX and from PyTorch."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from convcost.graph import Tensor
from convcost.graph.ops import Activation, Conv, ConvTranspose, Elementwise, Linear, MatMul, Move, Op, Recurrent, Reduce

_NAMED_BY_WEIGHT = (Conv, ConvTranspose, Linear, MatMul, Recurrent)
_WEIGHT_SUFFIX = re.compile(r"[._](weight|bias|weight_ih_l0|weight_hh_l0)(_[a-z]+)?$")


class LayerNames:
    """Gives each node of one graph its name, in execution order.

    `containers` are the paths of modules that have submodules. A leaf module's first op takes the module's
    path (`layer1.0.conv1`); further ones, and functional calls in a container, add the function
    (`layer1.0.add`). In a leaf among the `contracting` modules that first op is the contraction, whatever
    prepares its operands (`conv1.pad`, then `conv1`); in one among the `weighted`, which own a matrix, only moves of
    data wait for it (`c_attn.view`, then `c_attn`). A contraction with a named weight takes the name of
    the weight's owner (`attn.in_proj`), whoever called it. A name met again takes `_1`, `_2` … `told` hears every name.
    """

    def __init__(
        self,
        containers: Iterable[str],
        *,
        contracting: Iterable[str] = (),
        weighted: Iterable[str] = (),
        told: Callable[[str], None] | None = None,
    ) -> None:
        self._containers = frozenset(containers)
        self._contracting = frozenset(contracting)
        self._weighted = frozenset(weighted)
        self._told = told
        self._uses: dict[str, int] = {}

    def name(self, path: str, op: Op, operands: tuple[Tensor, ...]) -> str:
        given = self._unique(_owner(path, op, operands) or self._by_module(path, op))
        if self._told is not None:
            self._told(given)
        return given

    def _by_module(self, path: str, op: Op) -> str:
        if path and path not in self._containers and path not in self._uses and not self._waits(path, op):
            return path
        return f"{path}.{function_name(op)}" if path else function_name(op)

    def _waits(self, path: str, op: Op) -> bool:
        """Whether the module's name is kept for a later op."""
        if path in self._weighted and isinstance(op, Move):
            return True
        return path in self._contracting and not isinstance(op, _NAMED_BY_WEIGHT)

    def _unique(self, name: str) -> str:
        while uses := self._uses.get(name, 0):
            self._uses[name] = uses + 1
            name = f"{name}_{uses}"
        self._uses[name] = 1
        return name


def function_name(op: Op) -> str:
    """What the op does, in the one word that functional calls are named by."""
    match op:
        case Activation(function=word) | Elementwise(function=word) | Reduce(function=word) | Move(action=word):
            return word
        case _:
            return op.family


def containers_of(paths: Iterable[str]) -> frozenset[str]:
    """Every path that another of the paths lies below, and the root.

    >>> sorted(containers_of(["a.b", "a.c.d"]))
    ['', 'a', 'a.c']
    """
    return frozenset(
        parent
        for path in paths
        for parent in ("", *(path[: dot.start()] for dot in re.finditer(r"\.", path)))
        if parent != path
    )


def _owner(path: str, op: Op, operands: tuple[Tensor, ...]) -> str | None:
    if not isinstance(op, _NAMED_BY_WEIGHT):
        return None
    for tensor in operands:
        if tensor.weight is not None and tensor.weight.name.startswith(f"{path}." if path else ""):
            owner, stripped = _WEIGHT_SUFFIX.subn("", tensor.weight.name)
            return owner if stripped else None
    return None
