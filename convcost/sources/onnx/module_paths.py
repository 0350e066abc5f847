"""Module paths from what exporters leave in a file: scopes in metadata, slashes in node names, names of weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from convcost.graph import Weight
from convcost.graph.ops import Recurrent
from convcost.sources.naming import is_contraction

if TYPE_CHECKING:
    from convcost.sources.onnx.node import OnnxNode
    from convcost.sources.onnx.scope import Pending

_NAME_SCOPES = "pkg.torch.onnx.name_scopes"
_LONGEST_NAME = 500  # a longer one is no path: what is above each of its parts would fill the memory

NodePath: TypeAlias = tuple[str, bool]
"""Where a node stands, and whether that names a torch module and not just the node. Every node has one: a bare tuple
is made in a tenth of the time of a named one."""


def path_of(node: OnnxNode) -> NodePath:
    """The innermost module a node came from, or else the node's own name.

    torch's dynamo exporter writes a list of scopes, of which the last is the call itself; its TorchScript
    exporter writes the scopes into the node's name.
    """
    metadata = node.message.metadata_props
    for entry in metadata if metadata else ():  # protobuf makes an iterator of an empty list slowly
        if entry.key == _NAME_SCOPES:
            scopes = entry.value.split("'")[1:-1:2]  # what stands between quotes
            return scopes[-2][:_LONGEST_NAME] if len(scopes) > 1 else "", True
    name = node.name
    if name.startswith("/") and len(name) <= _LONGEST_NAME:
        return _from_slashes(name), True
    return name, False


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
    if len(weight_name) > _LONGEST_NAME or not _is_path(weight_name):
        return None
    module, dot, tensor = weight_name.rpartition(".")
    if module and _is_tensor(tensor):
        return module
    start = len(module) + len(dot)
    end = weight_name.rfind("_", start)
    while end > start:
        if _is_tensor(weight_name[end + 1 :]):
            return weight_name[:end]
        end = weight_name.rfind("_", start, end)
    return None


def _is_path(name: str) -> bool:
    """Whether it is words with dots between them."""
    return name.replace("_", "a").replace(".", "").isalnum() and ".." not in f".{name}."


def _is_tensor(name: str) -> bool:
    """Whether it is `weight`, `bias`, or one of them and a suffix, as in `weight_ih_l0`."""
    word, mark, suffix = name.partition("_")
    return word in ("weight", "bias") and bool(mark) == bool(suffix)


class LayerPaths:
    """The module path of every node of a graph, by all of them and the names of all weights.

    `settled` has them in the nodes' order. Of these, `recurrent` are those of recurrent layers, and `weighted` those of
    contractions with a weight. `modules` is every module that is named anywhere.
    """

    def __init__(self, nodes: Sequence[Pending], weight_names: Iterable[str]) -> None:
        self._owner_of = {name: owner for name in weight_names if (owner := owner_of(name))}
        self._owners = frozenset(self._owner_of.values())
        self._paths = frozenset([node.where[0] for node in nodes if node.where[1]])
        self.modules = self._paths | self._owners
        self.recurrent: set[str] = set()
        self.weighted: set[str] = set()
        self.settled = [self._settle(node) for node in nodes]

    def _settle(self, node: Pending) -> str:
        if is_contraction(type(node.op)):
            return self._contraction(node)
        path, is_module = node.where
        return self._first_call(path) if is_module else path

    def _contraction(self, node: Pending) -> str:
        weights = [operand.weight for operand in node.operands]
        path = self._owner(weights[1:], node.bias, node.where) or node.where[0]
        if any(weights):
            self.weighted.add(path)
        if isinstance(node.op, Recurrent):
            self.recurrent.add(path)
        return path

    def _owner(self, weights: Iterable[Weight | None], bias: str | None, where: NodePath) -> str | None:
        """A contraction belongs to the owner of its weight, or else of the `bias` that is added to it next.

        A convolution that absorbed a normalisation carries that one's scope, a neighbour of its own.
        """
        for weight in weights:
            owner = self._owner_of.get(weight.name) if weight is not None else None
            if owner and _belongs(owner, where):
                return owner
        # A subgraph's own tensor may be kept under another name than the one it is added by.
        owner = owner_of(bias) if bias else None
        return owner if owner and _belongs(owner, where) else None

    def _first_call(self, path: str) -> str:
        """`layer1.0.relu` for `layer1.0.relu_1`, the second call of the same module."""
        base, mark, count = path.rpartition("_")
        is_call = mark and count.isdecimal() and base in self._paths and path not in self._owners
        return base if is_call else path


def _belongs(owner: str, where: NodePath) -> bool:
    path, is_module = where
    if not is_module:
        return "." in owner
    within = owner == path or owner.startswith(f"{path}." if path else "")
    return within or owner.rpartition(".")[0] == path.rpartition(".")[0]
