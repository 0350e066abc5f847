"""Convolutions to rewrite: made by hand, or drawn at random for Hypothesis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from hypothesis import assume
from hypothesis import strategies as st

from convcost.alternatives import AnyConv
from convcost.errors import ShapeError
from convcost.graph import DType, Graph, Node, Tensor, Weight, distinct_weights
from convcost.graph.ops import Conv, ConvTranspose, Linear


def conv(
    in_channels: int,
    out_channels: int,
    kernel: Sequence[int],
    *,
    stride: Sequence[int] | int = 1,
    pads: Sequence[tuple[int, int]] | int = 0,
    dilation: Sequence[int] | int = 1,
    groups: int = 1,
) -> Conv:
    axes = len(kernel)
    return Conv(
        in_channels=in_channels,
        out_channels=out_channels,
        kernel=tuple(kernel),
        stride=(stride,) * axes if isinstance(stride, int) else tuple(stride),
        pads=((pads, pads),) * axes if isinstance(pads, int) else tuple(pads),
        dilation=(dilation,) * axes if isinstance(dilation, int) else tuple(dilation),
        groups=groups,
    )


def transposed(op: Conv, *, output_padding: Sequence[int] = ()) -> ConvTranspose:
    return ConvTranspose(
        in_channels=op.in_channels,
        out_channels=op.out_channels,
        kernel=op.kernel,
        stride=op.stride,
        pads=op.pads,
        dilation=op.dilation,
        groups=op.groups,
        output_padding=tuple(output_padding) or (0,) * len(op.kernel),
    )


def layer_of(
    op: AnyConv,
    spatial: Sequence[int],
    *,
    name: str = "conv",
    batch: int | None = 1,
    bias: bool = False,
    weight: Weight | None = None,
    data: Tensor | None = None,
    repeat: int = 1,
) -> Node:
    """One convolution over a map of that size; unbatched with `batch` None."""
    shape = (*(() if batch is None else (batch,)), op.in_channels, *spatial)
    data = data or Tensor(name=f"{name}.x", shape=shape)
    (output_shape,) = op.output_shapes((data.shape,))
    operands = [data, Tensor.of(weight or Weight(name=f"{name}.weight", shape=op.weight_shape))]
    if bias:
        operands.append(Tensor.of(Weight(name=f"{name}.bias", shape=(op.out_channels,))))
    output = Tensor(name=f"{name}.y", shape=output_shape, dtype=DType.FLOAT32)
    return Node(name=name, op=op, operands=tuple(operands), outputs=(output,), repeat=repeat)


def linear_of(name: str, in_features: int, out_features: int) -> Node:
    weights = [Weight(name=f"{name}.weight", shape=(out_features, in_features))]
    weights.append(Weight(name=f"{name}.bias", shape=(out_features,)))
    data = Tensor(name=f"{name}.x", shape=(1, in_features))
    output = Tensor(name=f"{name}.y", shape=(1, out_features))
    op = Linear(in_features=in_features, out_features=out_features)
    return Node(name=name, op=op, operands=(data, *map(Tensor.of, weights)), outputs=(output,))


def graph_of(nodes: Iterable[Node]) -> Graph:
    """Layers side by side or chained; what no layer writes is an input of the network."""
    nodes = tuple(nodes)
    written = {tensor.name for node in nodes for tensor in node.outputs}
    read = {tensor.name: tensor for node in nodes for tensor in node.inputs if tensor.name not in written}
    return Graph(
        nodes=nodes,
        inputs=tuple(read.values()),
        outputs=tuple(node.outputs[0] for node in nodes),
        weights=distinct_weights(tensor for node in nodes for tensor in node.operands),
        target="test",
        source="test",
    )


@st.composite
def convolutions(
    draw: st.DrawFn,
    *,
    axes: int | None = None,
    multiple_of: int = 1,
    kernels: Sequence[int] = (),
    plain: bool = False,
    padded: bool = True,
) -> tuple[AnyConv, tuple[int, ...]]:
    """Any small geometry: one to three axes, groups, strides, dilation, uneven pads, transposed or not.

    Channels are multiples of `multiple_of`; `plain` leaves stride and dilation at 1, and transposition out. Without
    `padded` there are no pads.
    """
    axes = draw(st.integers(1, 3)) if axes is None else axes
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    unit = math.lcm(groups, multiple_of)
    most = max(1, 3 // multiple_of)

    def per_axis(low: int, high: int) -> tuple[int, ...]:
        return draw(st.tuples(*[st.integers(low, high)] * axes))

    op = conv(
        unit * draw(st.integers(1, most)),
        unit * draw(st.integers(1, most)),
        draw(st.tuples(*[st.sampled_from(kernels)] * axes)) if kernels else per_axis(1, 3 if axes == 3 else 5),
        stride=per_axis(1, 1 if plain else 3),
        pads=tuple(zip(per_axis(0, 2 * padded), per_axis(0, 2 * padded), strict=True)),
        dilation=per_axis(1, 1 if plain else 2),
        groups=groups,
    )
    spatial = per_axis(1, 4 if axes == 3 else 7)
    chosen: AnyConv = op
    if not plain and draw(st.booleans()):
        extra = [draw(st.integers(0, max(pair) - 1)) for pair in zip(op.stride, op.dilation, strict=True)]
        chosen = transposed(op, output_padding=extra)
    try:
        chosen.output_shapes(((1, op.in_channels, *spatial),))
    except ShapeError:
        assume(False)
    return chosen, spatial


@st.composite
def layers(
    draw: st.DrawFn,
    *,
    axes: int | None = None,
    multiple_of: int = 1,
    kernels: Sequence[int] = (),
    plain: bool = False,
    padded: bool = True,
) -> Node:
    op, spatial = draw(convolutions(axes=axes, multiple_of=multiple_of, kernels=kernels, plain=plain, padded=padded))
    return layer_of(op, spatial, batch=draw(st.sampled_from([None, 1, 2])), bias=draw(st.booleans()))
