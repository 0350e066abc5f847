"""Integer arithmetic: scales and zero points are constants beside it, and the work is the float operator's."""

from __future__ import annotations

from convcost.graph import DType
from convcost.graph.ops import Activation, Elementwise, Gather, Linear, Move, Op, Softmax
from convcost.sources.onnx.lowering.call import Call, Lowered, NotCountedError
from convcost.sources.onnx.lowering.conv import conv_of
from convcost.sources.onnx.lowering.matmul import product, scaled_product
from convcost.sources.onnx.lowering.registry import lowers

_SCALING: dict[str, tuple[str, int]] = {
    "DequantizeLinear": ("dequantize", 2),  # subtract the zero point, multiply
    "QuantizeLinear": ("quantize", 2),  # divide, add the zero point
    "DynamicQuantizeLinear": ("dynamic_quantize", 4),  # minimum and maximum as well
}

_ARITHMETIC: dict[str, str] = {"QLinearAdd": "add", "QLinearMul": "mul"}
_ACTIVATIONS: dict[str, str] = {"QLinearLeakyRelu": "leaky_relu", "QLinearSigmoid": "sigmoid"}


@lowers(*_SCALING)
def lower_scaling(call: Call) -> Lowered:
    function, operations = _SCALING[call.operator]
    return Lowered(op=Elementwise(function=function, operations=operations), operands=(call.operand(0),))


@lowers("QLinearConv")
def lower_qlinear_conv(call: Call) -> Lowered:
    if call.attributes.integer("channels_last", 0):
        raise NotCountedError("convolution with channels last is not modelled")
    return Lowered(op=conv_of(call, call.operand(0), call.operand(3)), operands=call.picked(0, 3, 8))


@lowers("QLinearMatMul")
def lower_qlinear_matmul(call: Call) -> Lowered:
    return product(call.operand(0), call.operand(3))


@lowers("QGemm")
def lower_qgemm(call: Call) -> Lowered:
    return scaled_product(call, call.operand(0), call.operand(3), call.argument(6))


@lowers("MatMulIntegerToFloat", "DynamicQuantizeMatMul")
def lower_rescaled_matmul(call: Call) -> Lowered:
    data, bias = call.operand(0), call.argument(6 if call.operator == "MatMulIntegerToFloat" else 4)
    if call.operator == "DynamicQuantizeMatMul":
        scaling = Elementwise(function="dynamic_quantize", operations=4)
        data = call.step(scaling, data, dtype=DType.UINT8)
    plain = product(data, call.operand(1))
    multiplied = call.step(plain.op, *plain.operands, dtype=DType.INT32)
    operations = 1 if bias is None else 2
    return Lowered(
        op=Elementwise(function="rescale", operations=operations),
        operands=(multiplied,) if bias is None else (multiplied, bias),
        dtype=DType.FLOAT32,
    )


@lowers("MatMulNBits", "MatMulBnb4")
def lower_packed_matmul(call: Call) -> Lowered:
    """Weights of a few bits, packed by blocks along the contracted axis `K`."""
    rows, columns = call.attributes.integer("K", 0), call.attributes.integer("N", 0)
    data = call.operand(0)
    if not data.shape or data.shape[-1] != rows:
        raise NotCountedError(f"K = {rows} is not the size of its operand's last axis")
    if not call.attributes.integer("transB", 1):
        raise NotCountedError("a packed matrix that is not transposed is not modelled")
    bits = call.attributes.integer("bits", 4)
    if 8 * call.operand(1).nbytes < rows * columns * bits:
        raise NotCountedError(f"its packed matrix has no room for {rows} x {columns} weights of {bits} bits")
    return Lowered(op=Linear(in_features=rows, out_features=columns), operands=call.picked(0, 1, 5))


@lowers("GatherBlockQuantized")
def lower_packed_gather(call: Call) -> Lowered:
    """Rows of a packed table, each value then made a number by its block's scale and zero point."""
    table, axis = call.operand(0), call.attributes.integer("gather_axis", 0)
    values = table.dtype.bits // max(call.attributes.integer("bits", 4), 1)
    picked = call.step(Gather(axis=axis), table, call.operand(1))
    function, operations = _SCALING["DequantizeLinear"]
    return Lowered(
        op=Elementwise(function=function, operations=operations),
        operands=(picked,),
        shapes=((*picked.shape[:-1], picked.shape[-1] * max(values, 1)),),
        dtype=call.operand(2).dtype,
    )


@lowers(*_ARITHMETIC)
def lower_qlinear_arithmetic(call: Call) -> Lowered:
    return Lowered(op=Elementwise(function=_ARITHMETIC[call.operator]), operands=call.picked(0, 3))


@lowers(*_ACTIVATIONS)
def lower_qlinear_activation(call: Call) -> Lowered:
    return Lowered(op=Activation(function=_ACTIVATIONS[call.operator]), operands=(call.operand(0),))


@lowers("QLinearSoftmax")
def lower_qlinear_softmax(call: Call) -> Lowered:
    op: Op = Softmax()
    return Lowered(op=op, operands=(call.operand(0),))


@lowers("QLinearConcat")
def lower_qlinear_concat(call: Call) -> Lowered:
    """Inputs are the output's scale and zero point, then data, scale and zero point of each part."""
    parts = call.picked(*range(2, len(call.arguments), 3))
    axis = call.attributes.integer("axis", 0)
    if not parts or not -len(parts[0].shape) <= axis < len(parts[0].shape):
        raise NotCountedError("its axis lies outside its operands")
    shape = list(parts[0].shape)
    shape[axis] = sum(part.shape[axis] for part in parts)
    return Lowered(op=Move(action="concat", shapes=(tuple(shape),)), operands=parts)
