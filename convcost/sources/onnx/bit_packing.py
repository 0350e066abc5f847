"""Weights of a few bits that lie several to a stored byte: how many there are, by the operators that read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from convcost.graph import Weight
from convcost.sources.onnx.attributes import Attributes
from convcost.sources.onnx.node import OnnxNode

# Stored operands of products whose node gives the matrix' rows K and columns N; blocks may pad what is stored.
_MATRICES: Mapping[str, tuple[int, ...]] = {"MatMulBnb4": (1,), "MatMulNBits": (1,)}

# Stored operands whose node gives the bits of one value, with the name and the default of that attribute.
_TABLES: Mapping[str, tuple[tuple[int, ...], str, int]] = {
    "GatherBlockQuantized": ((0,), "bits", 4),
    "QMoE": ((2, 5, 8), "expert_weight_bits", 4),
}

_WITH_PACKED = frozenset({*_MATRICES, *_TABLES})


class Packing(NamedTuple):
    """How to count the values in a stored tensor: there are `elements`, or else each has `bits`."""

    elements: int = 0
    bits: int = 0

    def values(self, weight: Weight) -> int | None:
        """None where every stored element is one value, or where there is no room for what the node says."""
        if self.elements:
            return self.elements if self.elements <= weight.numel * weight.dtype.bits else None
        if not 0 < self.bits < weight.dtype.bits:
            return None
        return weight.numel * weight.dtype.bits // self.bits


def packings(nodes: Sequence[OnnxNode]) -> dict[str, Packing]:
    """By the name of the stored tensor, for all that one of the nodes reads as packed."""
    found: dict[str, Packing] = {}
    for node in [each for each in nodes if each.op_type in _WITH_PACKED]:
        if node.op_type in _MATRICES:
            attributes = Attributes(node)
            elements = attributes.integer("K", 0) * attributes.integer("N", 0)
            found.update(_named(node, _MATRICES[node.op_type], Packing(elements=max(elements, 0))))
        else:
            positions, name, default = _TABLES[node.op_type]
            found.update(_named(node, positions, Packing(bits=Attributes(node).integer(name, default))))
    return found


def _named(node: OnnxNode, positions: Iterable[int], packing: Packing) -> dict[str, Packing]:
    return {node.input[position]: packing for position in positions if position < len(node.input)}
