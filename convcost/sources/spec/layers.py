"""The table of layer types: the keys each takes, and the op and weights it becomes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from convcost.dataclasses import dataclass
from convcost.errors import ShapeError
from convcost.graph import Role, Shape
from convcost.graph.ops import Conv, ConvTranspose, Op
from convcost.sources.spec.entry import Entry

if TYPE_CHECKING:
    from convcost.graph.ops import NormMethod, PoolMethod

ACTIVATIONS = (
    *("relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "mish"),
    *("sigmoid", "hardsigmoid", "hardswish", "tanh", "softplus"),
)
_NORM_METHODS: tuple[NormMethod, ...] = ("batch", "layer", "group", "instance", "rms")
_POOL_METHODS: tuple[PoolMethod, ...] = ("max", "avg")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPart:
    """A weight of a layer, named within it as torch names it."""

    name: str
    shape: Shape
    role: Role = Role.PARAMETER


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """What a layer becomes: an op, and the weights that follow its data among the operands."""

    op: Op
    stored: tuple[StoredPart, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerType:
    """How one type of layer is written. `lower` is given the input's shape, `(batch, channels, *spatial)` for maps.

    `own_input` reads the part of that shape after the batch from a layer that stands alone; None where the
    type has a meaning only in a network. In a network, `flat_input` refuses a feature map.
    """

    keys: tuple[str, ...]
    lower: Callable[[Entry, Shape], Lowered]
    own_input: Callable[[Entry], Shape] | None = None
    flat_input: bool = False


def _map_input(entry: Entry) -> Shape:
    return (entry.size("in_channels"), *entry.sizes("input", lengths=range(1, 4), like="[56, 56]"))


def _linear_input(entry: Entry) -> Shape:
    positions = entry.sizes("input", lengths=range(1, 4), like="[197]") if "input" in entry else ()
    return (*positions, entry.size("in_features"))


def _conv(entry: Entry, shape: Shape) -> Lowered:
    kernel = entry.per_axis("kernel", _spatial_axes(entry, shape))
    return _convolution(entry, shape, kernel, entry.size("out_channels"), entry.size("groups", 1))


def _pointwise(entry: Entry, shape: Shape) -> Lowered:
    kernel = (1,) * _spatial_axes(entry, shape)
    return _convolution(entry, shape, kernel, entry.size("out_channels"), entry.size("groups", 1))


def _depthwise(entry: Entry, shape: Shape) -> Lowered:
    kernel, channels = entry.per_axis("kernel", _spatial_axes(entry, shape)), shape[1]
    multiplied = channels * entry.size("multiplier", 1)
    out_channels = entry.size("out_channels", multiplied)
    if "multiplier" in entry and out_channels != multiplied:
        raise ShapeError(f"the multiplier makes {multiplied} of {channels} channels, not {out_channels}")
    if out_channels % channels:
        raise ShapeError(f"{out_channels} output channels are not a multiple of the {channels} input channels")
    return _convolution(entry, shape, kernel, out_channels, channels)


def _convolution(entry: Entry, shape: Shape, kernel: Shape, out_channels: int, groups: int) -> Lowered:
    spatial, ones = shape[2:], (1,) * len(kernel)
    stride = entry.per_axis("stride", len(kernel), ones)
    dilation = entry.per_axis("dilation", len(kernel), ones)
    op = Conv(
        in_channels=shape[1],
        out_channels=out_channels,
        kernel=kernel,
        stride=stride,
        pads=entry.padding(spatial, kernel, stride, dilation),
        dilation=dilation,
        groups=groups,
    )
    return Lowered(op=op, stored=_weight_and_bias(entry, op.weight_shape, out_channels))


def _conv_transpose(entry: Entry, shape: Shape) -> Lowered:
    axes = _spatial_axes(entry, shape)
    kernel, ones = entry.per_axis("kernel", axes), (1,) * axes
    stride, dilation = entry.per_axis("stride", axes, ones), entry.per_axis("dilation", axes, ones)
    op = ConvTranspose(
        in_channels=shape[1],
        out_channels=entry.size("out_channels"),
        kernel=kernel,
        stride=stride,
        # "same" would have to choose an output size, and frameworks choose differently.
        pads=entry.padding(shape[2:], kernel, stride, dilation, same=False),
        dilation=dilation,
        groups=entry.size("groups", 1),
        output_padding=entry.per_axis("output_padding", axes, (0,) * axes, least=0),
    )
    if any(extra >= max(steps) for extra, *steps in zip(op.output_padding, stride, dilation, strict=True)):
        raise ShapeError("output_padding must be smaller than the stride or the dilation")
    return Lowered(op=op, stored=_weight_and_bias(entry, op.weight_shape, op.out_channels))


def _linear(entry: Entry, shape: Shape) -> Lowered:
    from convcost.graph.ops import Linear

    entry.check_agrees("in_features", shape[-1], "the layer before gives")
    op = Linear(in_features=shape[-1], out_features=entry.size("out_features"))
    return Lowered(op=op, stored=_weight_and_bias(entry, (op.out_features, op.in_features), op.out_features))


def _pool(entry: Entry, shape: Shape) -> Lowered:
    from convcost.graph.ops import Pool

    axes = _spatial_axes(entry, shape)
    kernel, ones = entry.per_axis("kernel", axes), (1,) * axes
    stride = entry.per_axis("stride", axes, kernel)
    op = Pool(
        method=entry.choice("method", _POOL_METHODS),
        kernel=kernel,
        stride=stride,
        pads=entry.padding(shape[2:], kernel, stride, ones),
        dilation=ones,
        ceil_mode=entry.flag("ceil_mode", default=False),
    )
    return Lowered(op=op)


def _global_pool(entry: Entry, shape: Shape) -> Lowered:
    from convcost.graph.ops import AdaptivePool

    method = entry.choice("method", _POOL_METHODS[::-1])
    return Lowered(op=AdaptivePool(method=method, output_size=(1,) * _spatial_axes(entry, shape)))


def _norm(entry: Entry, shape: Shape) -> Lowered:
    from convcost.graph.ops import Normalize

    method, channels = entry.choice("method", _NORM_METHODS), shape[1:2]
    learned = () if not entry.flag("affine", default=True) else ("weight",) if method == "rms" else ("weight", "bias")
    running = ("running_mean", "running_var") if method == "batch" else ()
    parameters = tuple(StoredPart(name=name, shape=channels) for name in learned)
    buffers = tuple(StoredPart(name=name, shape=channels, role=Role.BUFFER) for name in running)
    return Lowered(op=Normalize(method=method), stored=parameters + buffers)


def _activation(entry: Entry, shape: Shape) -> Lowered:
    from convcost.graph.ops import Activation

    return Lowered(op=Activation(function=entry.choice("function", ACTIVATIONS)))


def _flatten(entry: Entry, shape: Shape) -> Lowered:
    from convcost.graph.ops import Move

    return Lowered(op=Move(action="flatten", shapes=((shape[0], math.prod(shape[1:])),), view=True))


def _spatial_axes(entry: Entry, shape: Shape) -> int:
    """How many spatial axes the layer's input has, once it is known to be a feature map of the channels expected."""
    axes = len(shape) - 2
    if not 1 <= axes <= 3:
        raise ShapeError(f"it takes channels and one to three spatial axes, not the input {list(shape[1:])}")
    entry.check_agrees("in_channels", shape[1], "the layer before gives")
    return axes


def _weight_and_bias(entry: Entry, weight: Shape, outputs: int) -> tuple[StoredPart, ...]:
    bias = (StoredPart(name="bias", shape=(outputs,)),) if entry.flag("bias", default=True) else ()
    return (StoredPart(name="weight", shape=weight), *bias)


_MAP_KEYS = ("in_channels", "out_channels")
_WINDOW_KEYS = ("stride", "padding", "dilation")

LAYER_TYPES: dict[str, LayerType] = {
    "conv": LayerType(keys=(*_MAP_KEYS, "kernel", *_WINDOW_KEYS, "groups", "bias"), lower=_conv, own_input=_map_input),
    "conv_transpose": LayerType(
        keys=(*_MAP_KEYS, "kernel", *_WINDOW_KEYS, "output_padding", "groups", "bias"),
        lower=_conv_transpose,
        own_input=_map_input,
    ),
    "depthwise": LayerType(
        keys=(*_MAP_KEYS, "multiplier", "kernel", *_WINDOW_KEYS, "bias"), lower=_depthwise, own_input=_map_input
    ),
    "pointwise": LayerType(keys=(*_MAP_KEYS, "stride", "groups", "bias"), lower=_pointwise, own_input=_map_input),
    "linear": LayerType(
        keys=("in_features", "out_features", "bias"), lower=_linear, own_input=_linear_input, flat_input=True
    ),
    "pool": LayerType(keys=("method", "kernel", "stride", "padding", "ceil_mode"), lower=_pool),
    "global_pool": LayerType(keys=("method",), lower=_global_pool),
    "norm": LayerType(keys=("method", "affine"), lower=_norm),
    "activation": LayerType(keys=("function",), lower=_activation),
    "flatten": LayerType(keys=(), lower=_flatten),
}
