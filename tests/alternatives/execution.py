"""Rewritten nodes made to work: multiplied out by the loop nests, and run by torch in float64."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch

from convcost.alternatives import AnyConv
from convcost.graph import Node
from convcost.graph.ops import Conv, ConvTranspose, Move
from tests.oracle import Array, Multiplier, convolve, scatter

_CONV = {1: torch.nn.functional.conv1d, 2: torch.nn.functional.conv2d, 3: torch.nn.functional.conv3d}
_TRANSPOSED = {
    1: torch.nn.functional.conv_transpose1d,
    2: torch.nn.functional.conv_transpose2d,
    3: torch.nn.functional.conv_transpose3d,
}


def multiplications(node: Node) -> int:
    """How often a plain loop nest multiplies; data movement multiplies nothing."""
    op = node.op
    if isinstance(op, Move):
        return 0
    assert isinstance(op, Conv | ConvTranspose)
    shape = node.operands[0].shape
    batched = shape if len(shape) == len(op.kernel) + 2 else (1, *shape)
    data, weight, times = Array.counting(*batched), Array.counting(*node.operands[1].shape), Multiplier()
    geometry = {"stride": op.stride, "pads": op.pads, "dilation": op.dilation, "groups": op.groups, "times": times}
    if isinstance(op, ConvTranspose):
        scatter(data, weight, output_padding=op.output_padding, **geometry)
    else:
        convolve(data, weight, **geometry)
    return times.count * node.repeat


def random_weights(nodes: Sequence[Node], seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    stored = {weight.name: weight for node in nodes for weight in node.weights}
    return {
        name: torch.randn(weight.shape, dtype=torch.float64, generator=generator) for name, weight in stored.items()
    }


def run(nodes: Sequence[Node], data: torch.Tensor, weights: dict[str, torch.Tensor], *, groups: int) -> torch.Tensor:
    """`groups` are the original layer's: the textbook form's reorder stays inside them."""
    for node in nodes:
        op = node.op
        if isinstance(op, Move):
            data = moved(op, data, nodes, groups)
        else:
            assert isinstance(op, Conv | ConvTranspose)
            kernel, *bias = [weights[tensor.name] for tensor in node.operands[1:]]
            data = apply(op, data, kernel, bias[0] if bias else None)
    return data


def apply(op: AnyConv, data: torch.Tensor, kernel: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    axes = len(op.kernel)
    if isinstance(op, ConvTranspose):
        out = _TRANSPOSED[axes](data, kernel, bias, op.stride, 0, op.output_padding, op.groups, op.dilation)
        for axis, (before, after) in enumerate(op.pads, start=out.ndim - axes):
            out = out.narrow(axis, before, out.shape[axis] - before - after)
        return out
    flat = [side for pair in reversed(op.pads) for side in pair]
    return _CONV[axes](torch.nn.functional.pad(data, flat), kernel, bias, op.stride, 0, op.dilation, op.groups)


def moved(op: Move, data: torch.Tensor, nodes: Sequence[Node], groups: int) -> torch.Tensor:
    channel_axis = (
        data.ndim - len(next(node.op for node in nodes if isinstance(node.op, Conv | ConvTranspose)).kernel) - 1
    )
    if op.action == "transpose":
        inputs = nodes[0].op.in_channels // groups
        split = data.unflatten(channel_axis, (groups, inputs, -1))
    else:
        assert op.action == "channel_shuffle"
        split = data.unflatten(channel_axis, (1, nodes[0].op.groups, -1))
    return split.transpose(channel_axis + 1, channel_axis + 2).flatten(channel_axis, channel_axis + 2)


def explained_by(op: AnyConv, data: torch.Tensor, result: torch.Tensor) -> float:
    """How far `result` is from what the convolution `op` gives on `data` under the kernel that fits best."""
    worst = 0.0
    inputs, outputs = op.in_channels // op.groups, op.out_channels // op.groups
    for group in range(op.groups):
        # All output channels of a group see the same inputs: one design serves them all.
        first = group * outputs
        kernels = torch.zeros((inputs, *op.kernel, *op.weight_shape), dtype=torch.float64)
        columns = []
        for at in itertools.product(range(inputs), *map(range, op.kernel)):
            channel, *tap = at
            where = (group * inputs + channel, 0) if isinstance(op, ConvTranspose) else (first, channel)
            kernels[(*at, *where, *tap)] = 1
            columns.append(apply(op, data, kernels[at])[:, first].flatten())
        design = torch.stack(columns, dim=1)
        wanted = result[:, first : first + outputs].transpose(0, 1).flatten(1).T
        # Twice as many equations as unknowns refute a wrong window just as surely as all of them.
        equations = torch.randperm(len(design), generator=torch.Generator().manual_seed(2))[: 2 * len(columns) + 20]
        design, wanted = design[equations], wanted[equations]
        best = torch.linalg.lstsq(design, wanted, driver="gelsd").solution
        worst = max(worst, float((design @ best - wanted).abs().max()))
    return worst
