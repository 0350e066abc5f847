"""Convolutions, with every way ONNX has of saying how they are padded."""

from __future__ import annotations

from convcost.errors import ShapeError
from convcost.graph import Shape, Tensor
from convcost.graph.ops import Conv, ConvTranspose, DeformConv, Pads, same_padding
from convcost.sources.onnx.lowering.call import Call, Lowered, NotCountedError
from convcost.sources.onnx.lowering.registry import lowers


@lowers("Conv", "ConvInteger")
def lower_conv(call: Call) -> Lowered:
    data, weight = call.operand(0), call.operand(1)
    positions = (0, 1, 2) if call.operator == "Conv" else (0, 1)
    return Lowered(op=conv_of(call, data, weight), operands=call.picked(*positions))


@lowers("DeformConv")
def lower_deform_conv(call: Call) -> Lowered:
    plain = conv_of(call, call.operand(0), call.operand(1))
    op = DeformConv(
        in_channels=plain.in_channels,
        out_channels=plain.out_channels,
        kernel=plain.kernel,
        stride=plain.stride,
        pads=plain.pads,
        dilation=plain.dilation,
        groups=plain.groups,
        masked=call.argument(4) is not None,
    )
    return Lowered(op=op, operands=call.picked(0, 1, 2, 4, 3))


@lowers("ConvTranspose")
def lower_conv_transpose(call: Call) -> Lowered:
    data, weight = call.operand(0), call.operand(1)
    spatial = spatial_sizes(data, weight)
    axes = len(spatial)
    attributes = call.attributes
    groups = attributes.integer("group", 1)
    kernel = attributes.integers("kernel_shape") or weight.shape[2:]
    stride = attributes.integers("strides") or (1,) * axes
    dilation = attributes.integers("dilations") or (1,) * axes
    extra = attributes.integers("output_padding") or (0,) * axes
    wanted = _wanted_output(call, spatial, stride)
    pads = explicit_pads(call, axes)
    if wanted is not None:
        extent = [
            (size - 1) * step + more + spread * (side - 1) + 1
            for size, step, more, spread, side in zip(spatial, stride, extra, dilation, kernel, strict=True)
        ]
        surplus = tuple(full - size for full, size in zip(extent, wanted, strict=True))
        pads = tuple(_halves(max(size, 0), call.attributes.text("auto_pad", "NOTSET")) for size in surplus)
        extra = tuple(more + max(-size, 0) for more, size in zip(extra, surplus, strict=True))
    op = ConvTranspose(
        in_channels=_channels(data, weight.shape[0]),
        out_channels=weight.shape[1] * groups,
        kernel=kernel,
        stride=stride,
        pads=pads,
        dilation=dilation,
        groups=groups,
        output_padding=extra,
    )
    return Lowered(op=op, operands=call.picked(0, 1, 2))


def _wanted_output(call: Call, spatial: Shape, stride: Shape) -> Shape | None:
    """The output size where the node states it, from which ONNX then derives the padding."""
    stated = call.attributes.integers("output_shape")
    if stated is not None:
        return stated[-len(spatial) :]
    if call.attributes.text("auto_pad", "NOTSET").startswith("SAME"):
        return tuple(size * step for size, step in zip(spatial, stride, strict=True))
    return None


def _halves(total: int, auto_pad: str) -> tuple[int, int]:
    small = total // 2
    return (small, total - small) if auto_pad == "SAME_UPPER" else (total - small, small)


def conv_of(call: Call, data: Tensor, weight: Tensor) -> Conv:
    """The convolution of `(N, M, *input)` with `(N_out, M / groups, *kernel)` that a node's attributes describe."""
    spatial = spatial_sizes(data, weight)
    axes = len(spatial)
    kernel = call.attributes.integers("kernel_shape") or weight.shape[2:]
    stride = call.attributes.integers("strides") or (1,) * axes
    dilation = call.attributes.integers("dilations") or (1,) * axes
    groups = call.attributes.integer("group", 1)
    return Conv(
        in_channels=_channels(data, weight.shape[1] * groups),
        out_channels=weight.shape[0],
        kernel=kernel,
        stride=stride,
        pads=window_pads(call, spatial, kernel, stride, dilation),
        dilation=dilation,
        groups=groups,
    )


def _channels(data: Tensor, taken: int) -> int:
    """What the weights take, which onnx does not set beside what they are given."""
    if data.shape[1] != taken:
        raise ShapeError(f"expected {taken} input channels, got {data.shape[1]}")
    return taken


def spatial_sizes(data: Tensor, weight: Tensor) -> Shape:
    if len(data.shape) < 3 or len(weight.shape) != len(data.shape):
        raise NotCountedError(f"a convolution of {list(data.shape)} with {list(weight.shape)} is not one")
    return data.shape[2:]


def window_pads(call: Call, spatial: Shape, kernel: Shape, stride: Shape, dilation: Shape) -> Pads:
    """Padding of sliding windows, from `auto_pad` or `pads`."""
    auto_pad = call.attributes.text("auto_pad", "NOTSET")
    if auto_pad.startswith("SAME") and min(stride, default=0) > 0:
        return tuple(
            same_padding(*axis, extra_after=auto_pad == "SAME_UPPER")
            for axis in zip(spatial, kernel, stride, dilation, strict=True)
        )
    return explicit_pads(call, len(spatial))


def explicit_pads(call: Call, axes: int) -> Pads:
    """`pads` lists every axis' start, then every axis' end; with `auto_pad` VALID there are none."""
    pads = call.attributes.integers("pads")
    if pads is None or call.attributes.text("auto_pad", "NOTSET") == "VALID":
        return ((0, 0),) * axes
    if len(pads) != 2 * axes:
        raise NotCountedError(f"it has {len(pads)} pads for {axes} axes")
    return tuple(zip(pads[:axes], pads[axes:], strict=True))
