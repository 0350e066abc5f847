"""Nodes that differ in names alone are lowered once: networks repeat their blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from convcost.graph import DType, Tensor
from convcost.graph.ops import Op
from convcost.sources.onnx.inference import TensorType
from convcost.sources.onnx.lowering import Call, Lowered

if TYPE_CHECKING:
    from convcost.sources.onnx.node import OnnxNode

Key: TypeAlias = tuple[object, ...]


class Outcome(NamedTuple):
    """What a lowering made of a node, free of the node: operands by their positions in the file."""

    op: Op
    positions: tuple[int, ...]
    dtype: DType | None
    kinds: tuple[TensorType, ...]

    def of(self, arguments: Sequence[Tensor | None]) -> Lowered:
        """The same for another node's arguments."""
        operands = [found for position in self.positions if (found := arguments[position]) is not None]
        return Lowered(op=self.op, operands=tuple(operands), dtype=self.dtype)


def key_of(node: OnnxNode, arguments: Sequence[Tensor | None], results: tuple[TensorType, ...]) -> Key:
    """All that a lowering can see of a node, but for names and values."""
    return (
        node.op_type,
        node.domain,
        tuple([attribute.SerializeToString() for attribute in node.attribute]),
        tuple([each and (each.shape, each.dtype, each.weight is None) for each in arguments]),
        results,
    )


def outcome_of(call: Call, lowered: Lowered, kinds: tuple[TensorType, ...]) -> Outcome | None:
    """What holds for every node of the same key; None where values or names had a part in it, or more than one op."""
    if call.asked_for_values or call.steps or lowered.view_of is not None or lowered.passed:
        return None
    places = {id(argument): position for position, argument in enumerate(call.arguments) if argument is not None}
    distinct = len(places) == len(call.operands)
    if not distinct or any(id(operand) not in places for operand in lowered.operands):
        return None
    positions = tuple([places[id(operand)] for operand in lowered.operands])
    return Outcome(op=lowered.op, positions=positions, dtype=lowered.dtype, kinds=kinds)
