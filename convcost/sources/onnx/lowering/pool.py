"""Pooling over windows and over everything."""

from __future__ import annotations

from convcost.graph.ops import AdaptivePool, Op, Pool, PoolMethod
from convcost.sources.onnx.lowering.call import Call, Lowered, NotCountedError
from convcost.sources.onnx.lowering.conv import window_pads
from convcost.sources.onnx.lowering.registry import lowers

_WINDOWS: dict[str, PoolMethod] = {
    "AveragePool": "avg",
    "LpPool": "lp",
    "MaxPool": "max",
    "QLinearAveragePool": "avg",
}

_GLOBAL: dict[str, PoolMethod] = {
    "GlobalAveragePool": "avg",
    "GlobalLpPool": "lp",
    "GlobalMaxPool": "max",
    "QLinearGlobalAveragePool": "avg",
}


@lowers(*_WINDOWS)
def lower_pool(call: Call) -> Lowered:
    data = call.operand(0)
    kernel = call.attributes.integers("kernel_shape")
    if kernel is None or len(data.shape) != len(kernel) + 2:
        raise NotCountedError(f"a window of {kernel} does not fit {list(data.shape)}")
    if call.attributes.integer("channels_last", 0):
        raise NotCountedError("pooling with channels last is not modelled")
    ones = (1,) * len(kernel)
    stride = call.attributes.integers("strides") or ones
    dilation = call.attributes.integers("dilations") or ones
    if min((*stride, *kernel, *dilation), default=0) < 1:
        raise NotCountedError("windows and strides are at least 1")
    op = Pool(
        method=_WINDOWS[call.operator],
        kernel=kernel,
        stride=stride,
        pads=window_pads(call, data.shape[2:], kernel, stride, dilation),
        dilation=dilation,
        ceil_mode=bool(call.attributes.integer("ceil_mode", 0)),
    )
    return Lowered(op=op, operands=(data,))


@lowers(*_GLOBAL)
def lower_global_pool(call: Call) -> Lowered:
    data = call.operand(0)
    if call.attributes.integer("channels_last", 0):
        raise NotCountedError("pooling with channels last is not modelled")
    op: Op = AdaptivePool(method=_GLOBAL[call.operator], output_size=(1,) * (len(data.shape) - 2))
    return Lowered(op=op, operands=(data,))
