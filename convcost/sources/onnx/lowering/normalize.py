"""Normalisation and softmax, standard and as onnxruntime's optimiser writes them."""

from __future__ import annotations

from convcost.graph.ops import Elementwise, Normalize, NormMethod, Op, Softmax
from convcost.sources.onnx.lowering.call import Call, Lowered
from convcost.sources.onnx.lowering.registry import lowers

_METHODS: dict[str, NormMethod] = {
    "BatchNormalization": "batch",
    "GroupNormalization": "group",
    "InstanceNormalization": "instance",
    "LRN": "local_response",
    "LayerNormalization": "layer",
    "LpNormalization": "lp",
    "MeanVarianceNormalization": "instance",
    "RMSNormalization": "rms",
    "SimplifiedLayerNormalization": "rms",
}

# The others add another constant, or none.
_WITH_EPSILON = _METHODS.keys() - {"LRN", "LpNormalization", "MeanVarianceNormalization"}

_SKIP_METHODS: dict[str, NormMethod] = {"SkipLayerNormalization": "layer", "SkipSimplifiedLayerNormalization": "rms"}


@lowers(*_METHODS)
def lower_normalization(call: Call) -> Op:
    if call.operator not in _WITH_EPSILON:
        return Normalize(method=_METHODS[call.operator])
    return Normalize(method=_METHODS[call.operator], epsilon=call.attributes.number("epsilon", 1e-5))


@lowers(*_SKIP_METHODS)
def lower_skip_normalization(call: Call) -> Lowered:
    """Inputs are data, skip, gamma, then beta (layer only), then a bias that is added with the skip."""
    affine = (2, 3) if call.operator == "SkipLayerNormalization" else (2,)
    data, skip = call.operand(0), call.operand(1)
    total = call.step(Elementwise(function="add"), data, skip)
    bias = call.argument(affine[-1] + 1)
    if bias is not None:
        total = call.step(Elementwise(function="add"), total, bias)
    statistics = (*data.shape[:-1], 1)
    return Lowered(
        op=Normalize(method=_SKIP_METHODS[call.operator]),
        operands=(total, *call.picked(*affine)),
        shapes=(data.shape, statistics, statistics),
        passed={3: total},
    )


@lowers("Softmax", "LogSoftmax")
def lower_softmax(call: Call) -> Op:
    return Softmax()
