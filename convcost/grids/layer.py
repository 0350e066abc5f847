"""One convolution as a node, its sizes plain numbers or those of a whole block."""

from __future__ import annotations

from collections.abc import Mapping

from convcost.graph import Node, Tensor, Weight
from convcost.graph.ops import Conv, same_padding
from convcost.grids.axes import SAME

_AXES = 2


def layer_of(sizes: Mapping[str, int]) -> tuple[Node, Conv]:
    """The layer that a spec file with these attributes describes; raises `ShapeError` where there is none."""
    side, kernel, stride, dilation = (sizes[name] for name in ("input", "kernel", "stride", "dilation"))
    padding = sizes["padding"]
    pad = same_padding(side, kernel, stride, dilation) if padding == SAME else (padding, padding)
    conv = Conv(
        in_channels=sizes["in_channels"],
        out_channels=sizes["out_channels"],
        kernel=(kernel,) * _AXES,
        stride=(stride,) * _AXES,
        pads=(pad,) * _AXES,
        dilation=(dilation,) * _AXES,
        groups=sizes["groups"],
    )
    data = Tensor(name="input", shape=(sizes["batch"], conv.in_channels, *(side,) * _AXES))
    (shape,) = conv.output_shapes((data.shape,))
    stored = [Weight(name="conv.weight", shape=conv.weight_shape)]
    if sizes["bias"]:
        stored.append(Weight(name="conv.bias", shape=(conv.out_channels,)))
    operands = (data, *map(Tensor.of, stored))
    return Node(name="conv", op=conv, operands=operands, outputs=(Tensor(name="conv", shape=shape),)), conv
