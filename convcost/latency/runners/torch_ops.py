"""What each kind of node computes, in torch: one function per op that a graph describes well enough to run."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from typing import TypeAlias

import torch
from torch.nn import functional

from convcost.graph import Graph, Node, Role
from convcost.graph.ops import (
    Activation,
    AdaptivePool,
    Conv,
    ConvTranspose,
    DeformConv,
    Elementwise,
    Linear,
    MatMul,
    Move,
    Normalize,
    Op,
    Pool,
)
from convcost.latency.runners.prepared import UnrunnableError
from convcost.latency.runners.reorder import channel_reorder, split_shape

Computation: TypeAlias = Callable[..., torch.Tensor]
"""What a node does with its operands, weights among them, in the node's own order."""

_ACTIVATIONS: dict[str, Computation] = {
    "relu": torch.relu,
    "relu6": functional.relu6,
    "leaky_relu": functional.leaky_relu,
    "elu": functional.elu,
    "selu": functional.selu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "mish": functional.mish,
    "sigmoid": torch.sigmoid,
    "hardsigmoid": functional.hardsigmoid,
    "hardswish": functional.hardswish,
    "tanh": torch.tanh,
    "softplus": functional.softplus,
}
_ELEMENTWISE: dict[str, Computation] = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div}
_RESHAPING = ("flatten", "reshape", "view", "squeeze", "unsqueeze")


@singledispatch
def computation(op: Op, node: Node, graph: Graph) -> Computation:
    """What `node`, whose op is `op`, computes. Raises `UnrunnableError` where the op does not say enough."""
    raise undescribed(node)


def undescribed(node: Node) -> UnrunnableError:
    """The refusal to guess what a node computes: costs do not need an axis or a permutation, running does."""
    return UnrunnableError(f"'{node.name}' ({type(node.op).__name__}) cannot be built from its cost description alone")


@computation.register
def _deform_conv(op: DeformConv, node: Node, graph: Graph) -> Computation:
    # It is a Conv to the dispatcher, and would run as one.
    raise undescribed(node)


@computation.register
def _conv(op: Conv, node: Node, graph: Graph) -> Computation:
    function: Computation = (functional.conv1d, functional.conv2d, functional.conv3d)[len(op.kernel) - 1]
    symmetric = all(before == after for before, after in op.pads)
    padding = tuple(before for before, _ in op.pads) if symmetric else (0,) * len(op.pads)
    # torch lists pads from the last axis on.
    pads = [side for pair in reversed(op.pads) for side in pair]

    def compute(data: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        padded = data if symmetric else functional.pad(data, pads)
        return function(padded, weight, bias, op.stride, padding, op.dilation, op.groups)

    return compute


@computation.register
def _conv_transpose(op: ConvTranspose, node: Node, graph: Graph) -> Computation:
    axes = len(op.kernel)
    function: Computation = (
        functional.conv_transpose1d,
        functional.conv_transpose2d,
        functional.conv_transpose3d,
    )[axes - 1]
    padding = tuple(min(pair) for pair in op.pads)

    def compute(data: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        result = function(data, weight, bias, op.stride, padding, op.output_padding, op.groups, op.dilation)
        # torch pads both sides alike; what one side has more is cut off, which is a view.
        for axis, ((before, after), both) in enumerate(zip(op.pads, padding, strict=True), start=result.dim() - axes):
            size = result.shape[axis] - (before - both) - (after - both)
            result = result.narrow(axis, before - both, size)
        return result

    return compute


@computation.register
def _linear(op: Linear, node: Node, graph: Graph) -> Computation:
    def compute(data: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        stored_transposed = weight.shape != (op.out_features, op.in_features)
        return functional.linear(data, weight.T if stored_transposed else weight, bias)

    return compute


@computation.register
def _matmul(op: MatMul, node: Node, graph: Graph) -> Computation:
    def compute(a: torch.Tensor, b: torch.Tensor, addend: torch.Tensor | None = None) -> torch.Tensor:
        left = a.transpose(-1, -2) if op.transpose_a else a
        right = b.transpose(-1, -2) if op.transpose_b else b
        product = torch.matmul(left, right)
        return product if addend is None else product + addend

    return compute


@computation.register
def _pool(op: Pool, node: Node, graph: Graph) -> Computation:
    axes = len(op.kernel) - 1
    if op.method == "lp" or any(before != after for before, after in op.pads):
        raise UnrunnableError(f"'{node.name}': torch has no {op.method} pooling with these pads")
    padding = tuple(before for before, _ in op.pads)
    if op.method == "max":
        largest: Computation = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)[axes]
        return lambda data: largest(data, op.kernel, op.stride, padding, op.dilation, op.ceil_mode)
    mean: Computation = (functional.avg_pool1d, functional.avg_pool2d, functional.avg_pool3d)[axes]
    return lambda data: mean(data, op.kernel, op.stride, padding, op.ceil_mode)


@computation.register
def _adaptive_pool(op: AdaptivePool, node: Node, graph: Graph) -> Computation:
    axes = len(op.output_size) - 1
    tables: dict[str, tuple[Computation, ...]] = {
        "max": (functional.adaptive_max_pool1d, functional.adaptive_max_pool2d, functional.adaptive_max_pool3d),
        "avg": (functional.adaptive_avg_pool1d, functional.adaptive_avg_pool2d, functional.adaptive_avg_pool3d),
    }
    if op.method not in tables:
        raise UnrunnableError(f"'{node.name}': torch has no adaptive {op.method} pooling")
    function = tables[op.method][axes]
    return lambda data: function(data, op.output_size)


@computation.register
def _normalize(op: Normalize, node: Node, graph: Graph) -> Computation:
    buffers = [t for t in node.operands[1:] if t.weight is not None and t.weight.role is Role.BUFFER]
    match op.method:
        case "batch" if len(buffers) == 2:
            return _batch_norm
        case "layer" | "rms":
            return _trailing_norm(node, functional.layer_norm if op.method == "layer" else functional.rms_norm)
        case "instance":
            return lambda data, weight=None, bias=None: functional.instance_norm(data, weight=weight, bias=bias)
        case _:
            raise undescribed(node)


def _batch_norm(data: torch.Tensor, *stored: torch.Tensor) -> torch.Tensor:
    *learned, mean, variance = stored
    weight, bias = learned if learned else (None, None)
    return functional.batch_norm(data, mean, variance, weight, bias)


def _trailing_norm(node: Node, function: Computation) -> Computation:
    """Over the axes the weight spans; over the channels of a map where the weight has one entry for each."""
    shape = node.operands[0].shape
    learned = node.operands[1].shape if len(node.operands) > 1 else shape[-1:]
    if shape[len(shape) - len(learned) :] == learned:
        return lambda data, *stored: function(data, list(learned), *stored)
    if learned == shape[1:2]:
        return lambda data, *stored: function(data.movedim(1, -1), list(learned), *stored).movedim(-1, 1)
    raise undescribed(node)


@computation.register
def _activation(op: Activation, node: Node, graph: Graph) -> Computation:
    if op.function not in _ACTIVATIONS:
        raise undescribed(node)
    return _ACTIVATIONS[op.function]


@computation.register
def _elementwise(op: Elementwise, node: Node, graph: Graph) -> Computation:
    if op.function not in _ELEMENTWISE:
        raise undescribed(node)
    return _ELEMENTWISE[op.function]


@computation.register
def _move(op: Move, node: Node, graph: Graph) -> Computation:
    layout = channel_reorder(node, graph)
    shape = node.outputs[0].shape
    if layout is not None:
        split = split_shape(node.operands[0].shape, layout)
        return lambda data: data.reshape(split).transpose(2, 3).reshape(shape)
    if op.action in _RESHAPING:
        return lambda data: data.reshape(shape)
    raise undescribed(node)
