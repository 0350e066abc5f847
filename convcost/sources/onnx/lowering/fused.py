"""A contraction with what follows it, as onnxruntime's optimiser fuses them."""

from __future__ import annotations

from convcost.graph import Tensor
from convcost.graph.ops import Activation, Elementwise, MatMul, Move
from convcost.sources.onnx.lowering.call import Call, Lowered
from convcost.sources.onnx.lowering.conv import conv_of
from convcost.sources.onnx.lowering.matmul import product, scaled_product
from convcost.sources.onnx.lowering.registry import lowers


@lowers("FusedConv")
def lower_fused_conv(call: Call) -> Lowered:
    """Inputs are data, weight, bias, and a tensor added before the activation."""
    plain = conv_of(call, call.operand(0), call.operand(1))
    return _activated(call, Lowered(op=plain, operands=call.picked(0, 1, 2)), added=3)


@lowers("FusedGemm")
def lower_fused_gemm(call: Call) -> Lowered:
    return _activated(call, scaled_product(call, call.operand(0), call.operand(1), call.argument(2)))


@lowers("FusedMatMul")
def lower_fused_matmul(call: Call) -> Lowered:
    a, b = (_batches_first(call, call.operand(position), side) for position, side in enumerate("AB"))
    transposed = {side: bool(call.attributes.integer(f"trans{side}", 0)) for side in "AB"}
    if any(transposed.values()):
        multiplied = Lowered(op=MatMul(transpose_a=transposed["A"], transpose_b=transposed["B"]), operands=(a, b))
    else:
        multiplied = product(a, b)
    if call.attributes.number("alpha", 1.0) == 1:
        return multiplied
    unscaled = call.step(multiplied.op, *multiplied.operands)
    return Lowered(op=Elementwise(function="mul"), operands=(unscaled,))


def _batches_first(call: Call, operand: Tensor, side: str) -> Tensor:
    """With `transBatch`, an operand's first axis is the matrix' first, and the batch axes follow it."""
    if not call.attributes.integer(f"transBatch{side}", 0) or len(operand.shape) < 3:
        return operand
    first, *batch, last = operand.shape
    return call.step(Move(action="transpose", shapes=((*batch, first, last),), view=True), operand)


def _activated(call: Call, lowered: Lowered, *, added: int | None = None) -> Lowered:
    other = None if added is None else call.argument(added)
    if other is not None:
        value = call.step(lowered.op, *lowered.operands)
        lowered = Lowered(op=Elementwise(function="add"), operands=(value, other))
    function = call.attributes.text("activation", "")
    if not function:
        return lowered
    value = call.step(lowered.op, *lowered.operands)
    return Lowered(op=Activation(function=function.lower()), operands=(value,))
