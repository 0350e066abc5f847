"""One result per element: activations and arithmetic."""

from __future__ import annotations

from convcost.graph.ops import Activation, Elementwise, Op
from convcost.sources.onnx.lowering.call import Call, Lowered, NotCountedError
from convcost.sources.onnx.lowering.registry import lowers

_ACTIVATIONS: dict[str, str] = {
    "Celu": "celu",
    "Clip": "clip",
    "Elu": "elu",
    "FastGelu": "gelu",
    "Gelu": "gelu",
    "HardSigmoid": "hardsigmoid",
    "HardSwish": "hardswish",
    "Hardmax": "hardmax",
    "LeakyRelu": "leaky_relu",
    "Mish": "mish",
    "PRelu": "prelu",
    "QuickGelu": "quick_gelu",
    "Relu": "relu",
    "Selu": "selu",
    "Shrink": "shrink",
    "Sigmoid": "sigmoid",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Swish": "swish",
    "Tanh": "tanh",
    "ThresholdedRelu": "threshold",
}

_ARITHMETIC: dict[str, str] = {
    "Abs": "abs",
    "Acos": "acos",
    "Acosh": "acosh",
    "Add": "add",
    "And": "and",
    "Asin": "asin",
    "Asinh": "asinh",
    "Atan": "atan",
    "Atanh": "atanh",
    "BiasAdd": "add",
    "BitShift": "shift",
    "BitwiseAnd": "and",
    "BitwiseNot": "not",
    "BitwiseOr": "or",
    "BitwiseXor": "xor",
    "Ceil": "ceil",
    "Cos": "cos",
    "Cosh": "cosh",
    "Div": "div",
    "Equal": "equal",
    "Erf": "erf",
    "Exp": "exp",
    "Floor": "floor",
    "Greater": "greater",
    "GreaterOrEqual": "greater_equal",
    "IsInf": "isinf",
    "IsNaN": "isnan",
    "Less": "less",
    "LessOrEqual": "less_equal",
    "Log": "log",
    "Mod": "mod",
    "Mul": "mul",
    "Neg": "neg",
    "Not": "not",
    "Or": "or",
    "Pow": "pow",
    "Reciprocal": "reciprocal",
    "Round": "round",
    "Rsqrt": "rsqrt",
    "Sign": "sign",
    "Sin": "sin",
    "Sinh": "sinh",
    "Sqrt": "sqrt",
    "Sub": "sub",
    "Tan": "tan",
    "Where": "where",
    "Xor": "xor",
}

_VARIADIC: dict[str, str] = {"Max": "max", "Mean": "mean", "Min": "min", "Sum": "sum"}

_GENERATED: dict[str, str] = {
    "Bernoulli": "random",
    "BlackmanWindow": "window",
    "HammingWindow": "window",
    "HannWindow": "window",
    "MelWeightMatrix": "mel",
    "RandomNormal": "random",
    "RandomNormalLike": "random",
    "RandomUniform": "random",
    "RandomUniformLike": "random",
    "Range": "range",
}


@lowers(*_ACTIVATIONS)
def lower_activation(call: Call) -> Op:
    return Activation(function=_ACTIVATIONS[call.operator])


@lowers(*_ARITHMETIC)
def lower_arithmetic(call: Call) -> Op:
    return Elementwise(function=_ARITHMETIC[call.operator])


@lowers(*_VARIADIC)
def lower_variadic(call: Call) -> Op:
    if not call.operands:
        raise NotCountedError("it has no inputs")
    # A mean of n tensors is n - 1 additions and a division; the others compare or add n - 1 times.
    operations = len(call.operands) - (0 if call.operator == "Mean" else 1)
    return Elementwise(function=_VARIADIC[call.operator], operations=operations)


@lowers(*_GENERATED)
def lower_generated(call: Call) -> Lowered:
    """Values made from a few scalars: one operation each; a tensor that only lends its shape is not read."""
    call.result()
    return Lowered(op=Elementwise(function=_GENERATED[call.operator]), operands=())


@lowers("CumSum", "CumProd")
def lower_cumulative(call: Call) -> Lowered:
    return Lowered(op=Elementwise(function=call.operator.lower()), operands=(call.operand(0),))


@lowers("BiasGelu")
def lower_bias_gelu(call: Call) -> Lowered:
    biased = call.step(Elementwise(function="add"), *call.operands)
    return Lowered(op=Activation(function="gelu"), operands=(biased,))


@lowers("AffineGrid")
def lower_affine_grid(call: Call) -> Lowered:
    """Every coordinate of the grid is a row of the matrix times the homogeneous position."""
    coordinates = call.result()[-1]
    if coordinates not in (2, 3):
        raise NotCountedError("an affine grid has two or three axes")
    op = Elementwise(function="affine_grid", operations=2 * coordinates)
    return Lowered(op=op, operands=(call.operand(0),))
