"""What a network is: pure values, no input or output, no framework."""

from __future__ import annotations

from convcost.graph.cost import FLOPS_PER_MAC, Cost
from convcost.graph.graph import Graph, Node, Origin, distinct_weights
from convcost.graph.tensor import ByteRange, DType, Role, Shape, Tensor, Weight

__all__ = [
    "FLOPS_PER_MAC",
    "ByteRange",
    "Cost",
    "DType",
    "Graph",
    "Node",
    "Origin",
    "Role",
    "Shape",
    "Tensor",
    "Weight",
    "distinct_weights",
]
