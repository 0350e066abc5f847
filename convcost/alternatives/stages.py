"""Building blocks of rewrites: a convolution along some of its axes, and nodes chained one after the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

from convcost.alternatives.base import AnyConv
from convcost.graph import Node, Origin, Role, Tensor, Weight
from convcost.graph.ops import Conv, ConvTranspose, Op


def resized(conv: AnyConv, *, in_channels: int, out_channels: int, groups: int = 1) -> AnyConv:
    """The same window over other channels."""
    return dataclasses.replace(conv, in_channels=in_channels, out_channels=out_channels, groups=groups)


def along(conv: AnyConv, axes: Collection[int]) -> AnyConv:
    """The same convolution along `axes` only; every other axis is left as it is (kernel 1, stride 1, no padding)."""
    keep = [axis in axes for axis in range(len(conv.kernel))]

    def kept(values: tuple[int, ...], neutral: int) -> tuple[int, ...]:
        return tuple(value if stays else neutral for value, stays in zip(values, keep, strict=True))

    part = dataclasses.replace(
        conv,
        kernel=kept(conv.kernel, 1),
        stride=kept(conv.stride, 1),
        dilation=kept(conv.dilation, 1),
        pads=tuple(pad if stays else (0, 0) for pad, stays in zip(conv.pads, keep, strict=True)),
    )
    if isinstance(part, ConvTranspose):
        return dataclasses.replace(part, output_padding=kept(part.output_padding, 0))
    return part


def pointwise(axes: int, *, in_channels: int, out_channels: int, groups: int = 1) -> Conv:
    """A convolution with a kernel of ones over `axes` spatial axes."""
    ones = (1,) * axes
    return Conv(
        in_channels=in_channels,
        out_channels=out_channels,
        kernel=ones,
        stride=ones,
        pads=((0, 0),) * axes,
        dilation=ones,
        groups=groups,
    )


def between_pointwise(layer: Node, conv: AnyConv, *, rank_in: int, rank_out: int) -> tuple[Node, ...]:
    """1×1 to `rank_in` channels, the layer's window to `rank_out`, 1×1 to its outputs; all three in its groups."""
    axes, groups = len(conv.kernel), conv.groups
    return chain(
        layer,
        [
            ("reduce", pointwise(axes, in_channels=conv.in_channels, out_channels=rank_in, groups=groups)),
            ("convolution", resized(conv, in_channels=rank_in, out_channels=rank_out, groups=groups)),
            ("expand", pointwise(axes, in_channels=rank_out, out_channels=conv.out_channels, groups=groups)),
        ],
    )


def chain(layer: Node, stages: Sequence[tuple[str, Op]]) -> tuple[Node, ...]:
    """Named ops one after the other in place of `layer`, convolutions with new weights, the last of them with its bias.

    Raises `ValueError`, addressed to the author of an alternative, when the output shape is not the layer's.
    """
    nodes: list[Node] = []
    current = layer.operands[0]
    last, _ = stages[-1]
    biased = next(name for name, op in reversed(stages) if isinstance(op, Conv | ConvTranspose))
    for name, op in stages:
        (shape,) = op.output_shapes((current.shape,))
        output = Tensor(
            name=f"{layer.name}/{name}",
            shape=shape,
            dtype=layer.outputs[0].dtype,
            alias=current.buffer if op.is_view else "",
        )
        if name == last:
            if shape != layer.outputs[0].shape:
                raise ValueError(f"stage '{name}' gives {shape} where '{layer.name}' gives {layer.outputs[0].shape}")
            output = layer.outputs[0]
        operands = (current, *_stored(layer, name, op), *(layer.operands[2:] if name == biased else ()))
        nodes.append(
            Node(
                name=f"{layer.name}/{name}",
                op=op,
                operands=operands,
                outputs=(output,),
                origin=dataclasses.replace(layer.origin or Origin(operator=""), operator=type(op).__name__),
                repeat=layer.repeat,
            )
        )
        current = output
    return tuple(nodes)


def _stored(layer: Node, stage: str, op: Op) -> tuple[Tensor, ...]:
    """A new weight named after the one it replaces, so that a shared layer stays shared when rewritten.

    Its shape is part of its name: a kernel tied between a convolution and a transposed one is replaced
    by kernels that no longer fit each other.
    """
    if not isinstance(op, Conv | ConvTranspose):
        return ()
    kernel = layer.operands[1]
    replaced = kernel.weight
    owner = replaced.name if replaced and replaced.numel == kernel.numel else layer.name
    name = f"{owner}/{stage}:{'x'.join(map(str, op.weight_shape))}"
    role = replaced.role if replaced else Role.PARAMETER
    return (Tensor.of(Weight(name=name, shape=op.weight_shape, dtype=kernel.dtype, role=role)),)
