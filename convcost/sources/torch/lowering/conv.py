"""Convolutions, from whole composites to the primitives they decompose into."""

from __future__ import annotations

from dataclasses import replace

from convcost.graph import Shape, Tensor
from convcost.graph.ops import Conv, ConvTranspose, Move, Pads, same_padding
from convcost.sources.torch.call import Call, Step
from convcost.sources.torch.lowering.table import lowers


@lowers("aten.conv1d", "aten.conv2d", "aten.conv3d", "aten.mkldnn_convolution", "aten.cudnn_convolution")
def _conv(call: Call) -> Step:
    return _forward(call, call.tensors("bias"))


@lowers("aten.conv_transpose1d", "aten.conv_transpose2d", "aten.conv_transpose3d")
def _conv_transpose(call: Call) -> Step:
    return _transposed(call)


@lowers("aten.convolution", "aten._convolution", "aten.convolution_overrideable")
def _convolution(call: Call) -> Step:
    return _transposed(call) if call.flag("transposed") else _forward(call, call.tensors("bias"))


@lowers("aten.cudnn_convolution_relu")
def _convolution_relu(call: Call) -> Step:
    return _forward(call, call.tensors("bias"))


@lowers("aten.conv_tbc")
def _time_batch_channels(call: Call) -> tuple[Step, ...]:
    """Data `(T, B, M)` and weights `(kernel, M, N)`: the same convolution between two turns of its axes."""
    data, weight = call.tensor("self"), call.tensor("weight")
    steps, batch, channels = data.shape
    kernel, _, out_channels = weight.shape
    pad = call.integer("pad")
    op = Conv(
        in_channels=channels,
        out_channels=out_channels,
        kernel=(kernel,),
        stride=(1,),
        pads=((pad, pad),),
        dilation=(1,),
    )
    turned = Tensor(name=f"{data.name}|turned", shape=(batch, channels, steps), dtype=data.dtype, alias=data.buffer)
    filters = replace(weight, shape=(out_channels, channels, kernel))
    (shape,) = op.output_shapes((turned.shape, filters.shape))
    result = Tensor(name=f"{data.name}|convolved", shape=shape, dtype=data.dtype)
    return (
        Step(Move(action="permute", shapes=(turned.shape,), view=True), (data,), (turned,)),
        Step(op, (turned, filters, *call.tensors("bias")), (result,)),
        Step(Move(action="permute", shapes=call.results), (result,)),
    )


def _operands(call: Call) -> tuple[Tensor, Tensor]:
    data = call.optional("input")
    return data if data is not None else call.tensor("self"), call.tensor("weight")


def _forward(call: Call, bias: tuple[Tensor, ...]) -> Step:
    data, weight = _operands(call)
    axes = len(weight.shape) - 2
    groups = call.integer("groups")
    stride = call.integers("stride", axes)
    dilation = call.integers("dilation", axes)
    kernel = weight.shape[2:]
    op = Conv(
        in_channels=weight.shape[1] * groups,
        out_channels=weight.shape[0],
        kernel=kernel,
        stride=stride,
        pads=_pads(call, data.shape[-axes:], kernel, stride, dilation),
        dilation=dilation,
        groups=groups,
    )
    return Step(op, (data, weight, *bias))


def _pads(call: Call, spatial: Shape, kernel: Shape, stride: Shape, dilation: Shape) -> Pads:
    padding = call.argument("padding")
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding == "same":
        sizes = zip(spatial, kernel, stride, dilation, strict=True)
        return tuple(same_padding(size, taps, step, spread) for size, taps, step, spread in sizes)
    return tuple((pad, pad) for pad in call.integers("padding", len(kernel)))


def _transposed(call: Call) -> Step:
    data, weight = _operands(call)
    axes = len(weight.shape) - 2
    groups = call.integer("groups")
    op = ConvTranspose(
        in_channels=weight.shape[0],
        out_channels=weight.shape[1] * groups,
        kernel=weight.shape[2:],
        stride=call.integers("stride", axes),
        pads=tuple((pad, pad) for pad in call.integers("padding", axes)),
        dilation=call.integers("dilation", axes),
        groups=groups,
        output_padding=call.integers("output_padding", axes),
    )
    return Step(op, (data, weight, *call.tensors("bias")))
