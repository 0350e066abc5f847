"""Canonical layer names, so that one network reads the same from ONNX and from PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from operator import attrgetter

from convcost.graph import Tensor
from convcost.graph.ops import Activation, Conv, ConvTranspose, Elementwise, Linear, MatMul, Move, Op, Recurrent, Reduce

_TENSORS = ("weight", "bias", "weight_ih_l0", "weight_hh_l0")


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
        # How often each name was given, with the paths that are not every op's name as it stands: one look tells both.
        self._uses = dict.fromkeys(("", *self._containers, *self._contracting, *self._weighted), 0)

    def name(self, path: str, op: Op, operands: tuple[Tensor, ...]) -> str:
        contracts = is_contraction(type(op))
        owner = _owner(path, operands) if contracts else None
        given = owner or path
        if given in self._uses:
            given = self._numbered(owner or self._by_module(path, op, contracts=contracts))
        self._uses[given] = 1
        if self._told is not None:
            self._told(given)
        return given

    def _by_module(self, path: str, op: Op, *, contracts: bool) -> str:
        if not path:
            return function_name(op)
        shared = self._uses[path] or path in self._containers or self._waits(path, op, contracts=contracts)
        return f"{path}.{function_name(op)}" if shared else path

    def _waits(self, path: str, op: Op, *, contracts: bool) -> bool:
        """Whether the module's name is kept for a later op."""
        if path in self._weighted and isinstance(op, Move):
            return True
        return path in self._contracting and not contracts

    def _numbered(self, name: str) -> str:
        while uses := self._uses.get(name, 0):
            self._uses[name] = uses + 1
            name = f"{name}_{uses}"
        return name


@cache
def is_contraction(kind: type[Op]) -> bool:
    """Whether ops of this class belong to the owner of their weight."""
    return issubclass(kind, (Conv, ConvTranspose, Linear, MatMul, Recurrent))


def function_name(op: Op) -> str:
    """What the op does, in the one word that functional calls are named by."""
    return _word(type(op))(op)


@cache
def _word(kind: type[Op]) -> Callable[[Op], str]:
    if issubclass(kind, (Activation, Elementwise, Reduce)):
        return attrgetter("function")
    return attrgetter("action" if issubclass(kind, Move) else "family")


def containers_of(paths: Iterable[str]) -> frozenset[str]:
    """Every path that another of the paths lies below, and the root.

    >>> sorted(containers_of(["a.b", "a.c.d"]))
    ['', 'a', 'a.c']
    """
    found: set[str] = set()
    for path in paths:
        below = path
        while below and (parent := below.rpartition(".")[0]) not in found:
            found.add(parent)
            below = parent
    return frozenset(found)


def _owner(path: str, operands: tuple[Tensor, ...]) -> str | None:
    """The owner of the first weight that lies below the path."""
    for tensor in operands:
        if tensor.weight is not None and tensor.weight.name.startswith(f"{path}." if path else ""):
            return _without_tensor(tensor.weight.name)
    return None


def _without_tensor(weight_name: str) -> str | None:
    """`attn.in_proj` for `attn.in_proj_weight`, `lstm` for `lstm.weight_hh_l0_reverse`."""
    owner, _, tensor = weight_name.rpartition(".")
    if tensor in _TENSORS:
        return owner
    stem, _, variant = weight_name.rpartition("_")
    has_variant = variant.isascii() and variant.isalpha() and variant.islower()
    for name in (stem, weight_name) if has_variant else (weight_name,):
        for tensor in _TENSORS:
            owner = name.removesuffix(tensor)
            if owner != name and owner.endswith((".", "_")):
                return owner[:-1]
    return None
