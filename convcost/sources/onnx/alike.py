"""Nodes that differ in names alone are inferred and lowered once: networks repeat their blocks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from convcost.dataclasses import copier
from convcost.graph import Tensor
from convcost.graph.ops import Op
from convcost.sources.onnx.small_values import MAX_ELEMENTS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from convcost.sources.onnx.lowering import Call, Lowered
    from convcost.sources.onnx.node import OnnxNode

Key: TypeAlias = tuple[object, ...]
Known: TypeAlias = "Callable[[str], NDArray[np.generic] | None]"

BY_FORM = frozenset(
    {
        "Add",
        "AveragePool",
        "BatchNormalization",
        "Concat",
        "Conv",
        "ConvTranspose",
        "DequantizeLinear",
        "Div",
        "Gather",
        "Gemm",
        "GlobalAveragePool",
        "GroupNormalization",
        "GRU",
        "InstanceNormalization",
        "LayerNormalization",
        "LSTM",
        "MatMul",
        "MaxPool",
        "Mul",
        "Pow",
        "PRelu",
        "QuantizeLinear",
        "Relu",
        "RMSNormalization",
        "RNN",
        "Sigmoid",
        "Softmax",
        "Sub",
        "Tanh",
        "Where",
    }
)
"""Operators whose results have a form that hangs on those of the operands, whatever their values: the usual ones that
have stored operands, whose values need not be looked at then.
"""

_MOST_VALUES = 64
"""Shapes, axes, pads and scales have fewer. An operand with more of them is like no other."""

renamed = copier(Tensor, "name")
"""The same shape and type under another name; its bytes need not be worked out again."""


class Outcome(NamedTuple):
    """What a lowering made of a node, but for its names: operands by their positions in the file, None where they are
    as they stand there, and outputs to be named anew. The first output shares the memory of the operand at `view_of`.
    `may_fold` where the outputs' values may be followed.
    """

    op: Op
    positions: tuple[int, ...] | None
    outputs: tuple[Tensor, ...]
    view_of: int | None
    may_fold: bool

    def operands(self, arguments: tuple[Tensor | None, ...]) -> tuple[Tensor, ...]:
        """Of another node with these arguments."""
        chosen = arguments if self.positions is None else [arguments[position] for position in self.positions]
        return tuple([argument for argument in chosen if argument is not None])

    def output(self, position: int, name: str, arguments: tuple[Tensor | None, ...]) -> Tensor:
        """Of another node with these arguments."""
        template = self.outputs[position]
        source = None if position or self.view_of is None else arguments[self.view_of]
        if source is None:
            return renamed(template, name)
        return dataclasses.replace(template, name=name, alias=source.buffer, weight=source.weight)


def key_of(node: OnnxNode, arguments: Sequence[Tensor | None], known: Known) -> Key | None:
    """All of a node, but for names, that its results' forms can hang on; None where that is too much to compare."""
    attributes = node.message.attribute
    values = () if node.op_type in BY_FORM else _values(node, known)
    if values is None:
        return None
    return (
        node.op_type,
        node.domain,
        tuple([attribute.SerializeToString() for attribute in attributes[:]]) if attributes else (),
        tuple([each and (each.shape, each.dtype, each.weight is None) for each in arguments]),
        len(node.output),
        values,
    )


def _values(node: OnnxNode, known: Known) -> Key | None:
    values: list[object] = []
    for name in node.input:
        value = known(name) if name else None
        if value is None:
            values.append(None)
        elif value.size > _MOST_VALUES or value.dtype.hasobject:
            return None
        else:
            values.append((value.shape, value.tobytes()))
    return tuple(values)


def outcome_of(call: Call, lowered: Lowered, outputs: tuple[Tensor, ...], *, may_fold: bool) -> Outcome | None:
    """What holds for every node of the same key; None where names had a part in it, values that the key leaves out, or
    more than one op.
    """
    if (call.asked_for_values and call.operator in BY_FORM) or call.steps or lowered.passed:
        return None
    places = {id(argument): position for position, argument in enumerate(call.arguments) if argument is not None}
    distinct = len(places) == len(call.operands)
    read = lowered.operands if lowered.view_of is None else (*lowered.operands, lowered.view_of)
    if not distinct or any(id(operand) not in places for operand in read):
        return None
    positions = tuple([places[id(operand)] for operand in lowered.operands])
    as_given = positions == tuple(range(len(call.arguments)))
    return Outcome(
        op=lowered.op,
        positions=None if as_given else positions,
        outputs=outputs,
        view_of=None if lowered.view_of is None else places[id(lowered.view_of)],
        may_fold=may_fold and bool(outputs) and outputs[0].numel <= MAX_ELEMENTS,
    )
