"""A node's texts, read once: a protobuf message makes them anew at every reading, and they are read many times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from onnx import AttributeProto, NodeProto


class OnnxNode(NamedTuple):
    """A `NodeProto` under the names of its fields, and the `message` itself."""

    op_type: str
    domain: str
    name: str
    input: Sequence[str]
    output: Sequence[str]
    message: NodeProto

    @property
    def attribute(self) -> Iterable[AttributeProto]:
        attributes: Iterable[AttributeProto] = self.message.attribute
        return attributes


def read_nodes(nodes: Iterable[NodeProto]) -> list[OnnxNode]:
    """The nodes of a graph, in order."""
    made = OnnxNode._make  # in C, unlike the constructor
    return [  # protobuf makes a slice twice as fast as it is iterated over
        made((each.op_type, each.domain, each.name, each.input[:], each.output[:], each)) for each in nodes
    ]


WITH_SUBGRAPHS = frozenset({"If", "Loop", "Scan", "SequenceMap"})
"""Operators whose attributes hold graphs."""


def with_bodies(nodes: Sequence[OnnxNode]) -> Sequence[OnnxNode]:
    """The nodes, and those of the branches and loop bodies among them, which read the graph's tensors too."""
    if WITH_SUBGRAPHS.isdisjoint([node.op_type for node in nodes]):
        return nodes
    return list(_and_bodies(nodes))


def _and_bodies(nodes: Iterable[OnnxNode]) -> Iterator[OnnxNode]:
    for node in nodes:
        yield node
        if node.op_type in WITH_SUBGRAPHS:
            for attribute in node.attribute:
                yield from _and_bodies(read_nodes(attribute.g.node))
