"""Activations and elementwise arithmetic."""

from __future__ import annotations

from convcost.graph.ops import Activation, Elementwise
from convcost.sources.torch.call import Call, Step
from convcost.sources.torch.lowering.table import lowers, prims

_ACTIVATIONS = (
    "celu",
    "elu",
    "gelu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "log_sigmoid",
    "log_sigmoid_forward",
    "mish",
    "prelu",
    "_prelu_kernel",
    "relu",
    "relu6",
    "rrelu",
    "rrelu_with_noise",
    "selu",
    "sigmoid",
    "silu",
    "softplus",
    "softshrink",
    "tanh",
    "threshold",
)
# A ReLU6 and a clamp are one function, whatever the framework calls it.
_WORDS = {
    "hardtanh": "clip",
    "log_sigmoid_forward": "log_sigmoid",
    "prelu_kernel": "prelu",
    "relu6": "clip",
    "rrelu_with_noise": "rrelu",
}
_PRIMITIVES = prims(
    "acos acosh add asin asinh atan atan2 atanh bessel_i0 bessel_i0e bessel_i1 bessel_i1e bessel_j0 bessel_j1 "
    "bitwise_and bitwise_or bitwise_xor cbrt ceil cos cosh div eq erf erf_inv erfc erfcx exp expm1 floor fmod "
    "frexp gcd ge gt isfinite le lgamma log log10 log1p lt mul ndtri ne neg pow remainder round shift_left "
    "shift_right_arithmetic sin sinh spherical_bessel_j0 sqrt sub tan where zeta"
)
_OPERATIONS = {"addcmul": 2, "addcdiv": 2, "lerp": 3, "hypot": 4}
_COMMON_WORDS = {"rsub": "sub", "true_divide": "div", "subtract": "sub", "multiply": "mul", "divide": "div"}


@lowers(*(f"aten.{name}" for name in _ACTIVATIONS), "prims.tanh")
def _activation(call: Call) -> Step:
    word = _WORDS.get(call.signature.word, call.signature.word)
    # PReLU's slope is an operand; everything else has only its data.
    return Step(Activation(function=word), call.operands if word == "prelu" else call.operands[:1])


@lowers("aten.clamp", "aten.clip")
def _clamp(call: Call) -> Step:
    """Between two numbers it is an activation like any other; between two tensors, arithmetic that reads them."""
    fixed = len(call.operands) == 1
    return Step(Activation(function="clip") if fixed else Elementwise(function="clip"), call.operands)


@lowers("aten.glu")
def _glu(call: Call) -> Step:
    """Half of the data times the sigmoid of the other half."""
    return Step(Elementwise(function="glu", operations=2), call.operands)


@lowers(
    *(f"aten.cum{name}" for name in ("sum", "prod", "max", "min")),
    "aten._cummax_helper",
    "aten._cummin_helper",
    "aten.logcumsumexp",
    "aten.bucketize",
    "aten.searchsorted",
    "aten.isin",
    "aten.cross",
    "aten.linalg_cross",
    "aten.renorm",
    "aten.complex",
    "aten.polar",
    "aten.quantize_per_tensor",
    "aten.quantize_per_channel",
    "aten.quantize_per_tensor_dynamic",
    "aten.floor_divide",
    "aten.masked_fill",
    "aten.dequantize",
    "aten.fake_quantize_per_tensor_affine",
    "aten.fake_quantize_per_channel_affine",
    "aten.ger",
    "aten.outer",
    *(f"aten.__{name}__" for name in ("and", "or", "xor", "lshift", "rshift", "iand", "ior", "ixor")),
    *(f"aten.{name}" for name in ("true_divide", "subtract", "multiply", "divide", "negative", "absolute")),
    *_PRIMITIVES,
)
def elementwise(call: Call) -> Step:
    """Also every overload that torch itself tags as pointwise; it forgets one of `masked_fill`, and most primitives."""
    word = call.signature.word.strip("_")
    op = Elementwise(function=_COMMON_WORDS.get(word, word), operations=_OPERATIONS.get(word, 1))
    return Step(op, call.operands)
