"""What the nodes of one (sub)graph can see: tensors, small known values, inferred types, roles of weights."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from convcost.dataclasses import dataclass
from convcost.graph import Origin, Role, Tensor
from convcost.graph.ops import Op
from convcost.sources.onnx.bit_packing import Packing, packings
from convcost.sources.onnx.inference import TensorType, described, types_of
from convcost.sources.onnx.node import OnnxNode, read_nodes, with_bodies
from convcost.sources.onnx.small_values import values_of
from convcost.sources.onnx.stored import roles_by_use

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnx import GraphProto, TensorProto

    from convcost.sources.onnx.module_paths import NodePath


class Pending(NamedTuple):
    """A lowered node that waits for its name. `bias` is the stored tensor that is added to its result next."""

    op: Op
    operands: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    where: NodePath
    origin: Origin
    bias: str | None = None
    repeat: int = 1


class Constants:
    """Known values by tensor name; a stored tensor is converted when first asked for. A subgraph sees outer ones."""

    def __init__(self, outer: Constants | None = None) -> None:
        self._known: dict[str, NDArray[np.generic]] = {}
        self._stored: dict[str, TensorProto] = {}
        self._outer = outer

    def offer(self, name: str, tensor: TensorProto) -> None:
        self._stored[name] = tensor

    def learn(self, name: str, value: NDArray[np.generic]) -> None:
        self._known[name] = value

    def of(self, name: str) -> NDArray[np.generic] | None:
        known = self._known.get(name)
        if known is not None:
            return known
        stored = self._stored.pop(name, None)
        if stored is None:
            return None if self._outer is None else self._outer.of(name)
        value = values_of(stored)
        if value is not None:
            self._known[name] = value
        return value


@dataclass(slots=True, kw_only=True)
class Scope:
    """One level of names, and the `nodes` that use them; a subgraph sees everything of the graph around it."""

    nodes: Sequence[OnnxNode]
    values: MutableMapping[str, Tensor]
    constants: Constants
    types: Mapping[str, TensorType]
    roles: Mapping[str, Role]
    packings: Mapping[str, Packing]
    biases: Mapping[str, str]
    inner: bool = False

    @classmethod
    def of(cls, graph: GraphProto, nodes: Sequence[OnnxNode], types: Mapping[str, TensorType]) -> Scope:
        readers = with_bodies(nodes)
        return cls(
            nodes=nodes,
            values={},
            constants=Constants(),
            types=types,
            roles=roles_by_use(readers),
            packings=packings(readers),
            biases=added_biases(graph.initializer, nodes),
        )

    def within(self, graph: GraphProto) -> Scope:
        """The scope of a subgraph."""
        inner = Scope.of(graph, read_nodes(graph.node), types_of(described(graph)))
        inner.values = ChainMap({}, self.values)
        inner.constants = Constants(self.constants)
        inner.inner = True
        return inner


def added_biases(initializers: Iterable[TensorProto], nodes: Iterable[OnnxNode]) -> dict[str, str]:
    """For every value that a stored tensor is added to, the name of that tensor.

    An exporter that turns a linear layer into a product and a sum may lose the name of the matrix;
    that of the bias remains.
    """
    stored = {tensor.name for tensor in initializers}
    biases = {}
    for node in nodes:
        if node.op_type == "Add" and len(node.input) == 2 and not stored.isdisjoint(node.input):
            left, right = node.input
            if right in stored:
                biases[left] = right
            elif left in stored:
                biases[right] = left
    return biases
