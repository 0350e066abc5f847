"""Nodes that differ in names alone are lowered once: networks repeat their blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from convcost.dataclasses import copier
from convcost.graph import Tensor
from convcost.graph.ops import Op

if TYPE_CHECKING:
    from convcost.sources.onnx.inference import TensorType
    from convcost.sources.onnx.lowering import Call, Lowered
    from convcost.sources.onnx.node import OnnxNode

Key: TypeAlias = tuple[object, ...]

renamed = copier(Tensor, "name")
"""The same shape and type under another name; its bytes need not be worked out again."""


class Outcome(NamedTuple):
    """What a lowering made of a node, but for its names: operands by their positions in the file, None where they are
    as they stand there, and outputs to be named anew.
    """

    op: Op
    positions: tuple[int, ...] | None
    outputs: tuple[Tensor, ...]

    def operands(self, arguments: tuple[Tensor | None, ...]) -> tuple[Tensor, ...]:
        """Of another node with these arguments."""
        chosen = arguments if self.positions is None else [arguments[position] for position in self.positions]
        return tuple([argument for argument in chosen if argument is not None])


def key_of(node: OnnxNode, arguments: Sequence[Tensor | None], results: tuple[TensorType, ...]) -> Key:
    """All that a lowering can see of a node, but for names and values."""
    attributes = node.message.attribute
    return (
        node.op_type,
        node.domain,
        tuple([attribute.SerializeToString() for attribute in attributes[:]]) if attributes else (),
        tuple([each and (each.shape, each.dtype, each.weight is None) for each in arguments]),
        results,
    )


def outcome_of(call: Call, lowered: Lowered, outputs: tuple[Tensor, ...]) -> Outcome | None:
    """What holds for every node of the same key; None where values or names had a part in it, or more than one op."""
    if call.asked_for_values or call.steps or lowered.view_of is not None or lowered.passed:
        return None
    places = {id(argument): position for position, argument in enumerate(call.arguments) if argument is not None}
    distinct = len(places) == len(call.operands)
    if not distinct or any(id(operand) not in places for operand in lowered.operands):
        return None
    positions = tuple([places[id(operand)] for operand in lowered.operands])
    as_given = positions == tuple(range(len(call.arguments)))
    return Outcome(op=lowered.op, positions=None if as_given else positions, outputs=outputs)
