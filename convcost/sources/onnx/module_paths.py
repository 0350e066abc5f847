"""Module paths from what exporters leave in a file: scopes in metadata, slashes in node names, names of weights."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from convcost.graph import Tensor
from convcost.graph.ops import Conv, ConvTranspose, Linear, MatMul, Op, Recurrent

if TYPE_CHECKING:
    from convcost.sources.onnx.node import OnnxNode

_NAME_SCOPES = "pkg.torch.onnx.name_scopes"
_LITERAL_TEXT = re.compile(r"'([^']*)'")
_OWNED = re.compile(r"(\w+(?:\.\w+)*?)[._](?:weight|bias)(?:_\w+)?")
_LONGEST_NAME = 500  # a longer one is no path: what is above each of its parts would fill the memory
_CALL_SUFFIX = re.compile(r"_\d+$")
CONTRACTIONS = (Conv, ConvTranspose, Linear, MatMul, Recurrent)
"""Ops that belong to the owner of their weight."""


class NodePath(NamedTuple):
    """Where a node stands. `is_module` says that the path names a torch module and not just the node."""

    path: str
    is_module: bool


def path_of(node: OnnxNode) -> NodePath:
    """The innermost module a node came from, or else the node's own name.

    torch's dynamo exporter writes a list of scopes, of which the last is the call itself; its TorchScript
    exporter writes the scopes into the node's name.
    """
    for entry in node.message.metadata_props:
        if entry.key == _NAME_SCOPES:
            scopes = _LITERAL_TEXT.findall(entry.value)
            return NodePath(scopes[-2][:_LONGEST_NAME] if len(scopes) > 1 else "", True)
    name = node.name
    if name.startswith("/") and len(name) <= _LONGEST_NAME:
        return NodePath(_from_slashes(name), True)
    return NodePath(name, False)


def _from_slashes(name: str) -> str:
    """`/layer1/layer1.0/conv1/Conv` is `layer1.0.conv1`: a scope may repeat its parent's before its own name.

    >>> _from_slashes("/features/features.0/features.0.0/Conv")
    'features.0.0'
    """
    path: list[str] = []
    parent = ""
    for scope in name.split("/")[1:-1]:
        own = scope.removeprefix(f"{parent}.") if parent else scope
        path.append(own)
        parent = scope
    return ".".join(path)


def owner_of(weight_name: str) -> str | None:
    """The module whose tensor has this name, where the name looks like one of a module's.

    >>> owner_of("layer1.0.conv1.weight"), owner_of("attn.in_proj_bias"), owner_of("onnx::Conv_538")
    ('layer1.0.conv1', 'attn.in_proj', None)
    """
    if len(weight_name) > _LONGEST_NAME:
        return None
    found = _OWNED.fullmatch(weight_name)
    return found[1] if found else None


class LayerPaths:
    """Settles the module path of every node, given all of them and the names of all weights."""

    def __init__(self, places: Iterable[NodePath], weight_names: Iterable[str]) -> None:
        self._paths = frozenset([place.path for place in places if place.is_module])
        self._owners = frozenset(owner for name in weight_names if (owner := owner_of(name)))

    @property
    def modules(self) -> frozenset[str]:
        """Every module that is named anywhere."""
        return self._paths | self._owners

    def settled(self, where: NodePath, op: Op, operands: tuple[Tensor, ...], bias: str | None) -> str:
        """A contraction belongs to the owner of its weight, or else of the `bias` that is added to it next.

        A convolution that absorbed a normalisation carries that one's scope, a neighbour of its own.
        """
        if isinstance(op, CONTRACTIONS):
            names = [tensor.weight.name for tensor in operands[1:] if tensor.weight is not None]
            for name in (*names, *([bias] if bias else [])):
                owner = owner_of(name)
                if owner and _belongs(owner, where):
                    return owner
            return where.path
        return self._first_call(where.path) if where.is_module else where.path

    def _first_call(self, path: str) -> str:
        """`layer1.0.relu` for `layer1.0.relu_1`, the second call of the same module."""
        if path in self._owners:
            return path
        base = _CALL_SUFFIX.sub("", path)
        return base if base in self._paths else path


def _belongs(owner: str, where: NodePath) -> bool:
    if not where.is_module:
        return "." in owner
    within = owner == where.path or owner.startswith(f"{where.path}." if where.path else "")
    return within or owner.rpartition(".")[0] == where.path.rpartition(".")[0]
