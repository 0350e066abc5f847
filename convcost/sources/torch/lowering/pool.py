"""Pooling."""

from __future__ import annotations

from convcost.graph.ops import AdaptivePool, Pool, PoolMethod
from convcost.sources.torch.call import Call, Step
from convcost.sources.torch.lowering.table import lowers


@lowers(
    *(f"aten.max_pool{axes}d{suffix}" for axes in (1, 2, 3) for suffix in ("", "_with_indices")),
    "aten.mkldnn_max_pool2d",
    "aten.mkldnn_max_pool3d",
    "aten.quantized_max_pool1d",
    "aten.quantized_max_pool2d",
    "aten.quantized_max_pool3d",
)
def _max_pool(call: Call) -> Step:
    return _windows(call, "max")


@lowers("aten.avg_pool1d", "aten.avg_pool2d", "aten.avg_pool3d")
def _avg_pool(call: Call) -> Step:
    return _windows(call, "avg")


@lowers(
    *(f"aten.{form}adaptive_avg_pool{axes}d" for form in ("", "_") for axes in (1, 2, 3)),
    "aten.mkldnn_adaptive_avg_pool2d",
)
def _adaptive_avg_pool(call: Call) -> Step:
    return _adaptive(call, "avg")


@lowers("aten.adaptive_max_pool1d", "aten.adaptive_max_pool2d", "aten.adaptive_max_pool3d")
def _adaptive_max_pool(call: Call) -> Step:
    return _adaptive(call, "max")


@lowers("aten.fractional_max_pool2d", "aten.fractional_max_pool3d")
def _fractional_max_pool(call: Call) -> Step:
    """Windows of the given size at random places: as many taps as a regular pool of stride one has per output."""
    kernel = call.integers("kernel_size", _axes(call))
    ones = (1,) * len(kernel)
    op = Pool(method="max", kernel=kernel, stride=ones, pads=((0, 0),) * len(kernel), dilation=ones)
    return Step(op, call.operands[:1])


def _axes(call: Call) -> int:
    digits = [letter for letter in call.signature.name if letter.isdigit()]
    return int(digits[-1])


def _windows(call: Call, method: PoolMethod) -> Step:
    axes = _axes(call)
    kernel = call.integers("kernel_size", axes)
    op = Pool(
        method=method,
        kernel=kernel,
        stride=call.integers("stride", axes) or kernel,
        pads=tuple((pad, pad) for pad in call.integers("padding", axes)),
        dilation=call.integers("dilation", axes) or (1,) * axes,
        ceil_mode=call.flag("ceil_mode"),
    )
    return Step(op, call.operands[:1])


def _adaptive(call: Call, method: PoolMethod) -> Step:
    # The result's own sizes: an axis given as None keeps the input's.
    return Step(AdaptivePool(method=method, output_size=call.results[0][-_axes(call) :]), call.operands[:1])
