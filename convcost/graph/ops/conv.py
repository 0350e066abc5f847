"""Convolutions: dense, grouped, depthwise, transposed and deformable, over any number of axes."""

from __future__ import annotations

import math
from typing import ClassVar, NamedTuple, TypeAlias

from convcost.dataclasses import dataclass
from convcost.errors import ShapeError
from convcost.graph.ops.base import Arithmetic, Op, Shapes
from convcost.graph.tensor import Shape

Pads: TypeAlias = tuple[tuple[int, int], ...]
"""Padding per spatial axis, as (before, after)."""

_CONVENTION = "docs/conventions.md: padding taps count, dilation does not change the count"


class FeatureMap(NamedTuple):
    """A convolution's data operand: batch axes (none when unbatched), channels, spatial sizes."""

    batch: Shape
    channels: int
    spatial: Shape

    @classmethod
    def of(cls, shape: Shape, axes: int) -> FeatureMap:
        """Reads a shape `(N, C, *spatial)` or the unbatched `(C, *spatial)`."""
        if len(shape) not in (axes + 1, axes + 2):
            raise ShapeError(
                f"a convolution over {axes} axes takes {axes + 2} dimensions (or {axes + 1} unbatched), "
                f"not {list(shape)}"
            )
        return cls(shape[: -axes - 1], shape[-axes - 1], shape[-axes:])


@dataclass(frozen=True, slots=True, kw_only=True)
class _ConvAttributes(Op):
    in_channels: int
    out_channels: int
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pads: Pads
    dilation: tuple[int, ...]
    groups: int = 1

    def __post_init__(self) -> None:
        axes = len(self.kernel)
        if not (len(self.stride) == len(self.pads) == len(self.dilation) == axes):
            raise ShapeError(f"kernel, stride, padding and dilation need one entry for each of {axes} axes")
        sizes = (self.in_channels, self.out_channels, self.groups, *self.kernel, *self.stride, *self.dilation)
        # Each on its own, not by their minimum: in a grid every size may be an array of its own.
        if any(size < 1 for size in sizes):
            raise ShapeError(f"a convolution's sizes are at least 1, not {min(sizes)}")
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ShapeError(
                f"groups {self.groups} does not divide {self.in_channels} input and {self.out_channels} output channels"
            )

    @property
    def is_depthwise(self) -> bool:
        return self.groups == self.in_channels > 1

    def _map(self, operand: Shape) -> FeatureMap:
        features = FeatureMap.of(operand, len(self.kernel))
        if features.channels != self.in_channels:
            raise ShapeError(f"expected {self.in_channels} input channels, got {features.channels}")
        return features


@dataclass(frozen=True, slots=True, kw_only=True)
class Conv(_ConvAttributes):
    """A convolution of `(N, M, *input)` with weights `(N_out, M / groups, *kernel)`, optionally biased."""

    family: ClassVar[str] = "conv"
    formula: ClassVar[str] = "out_positions * N * (M/groups) * prod(kernel); bias adds are other ops"
    reference: ClassVar[str] = _CONVENTION

    @property
    def kind(self) -> str:
        if self.is_depthwise:
            return "depthwise"
        if self.groups == 1 and math.prod(self.kernel) == 1:
            return "pointwise"
        return "conv"

    @property
    def weight_shape(self) -> Shape:
        return (self.out_channels, self.in_channels // self.groups, *self.kernel)

    def output_shapes(self, operands: Shapes) -> Shapes:
        features = self._map(operands[0])
        spatial = tuple(
            conv_output_size(*axis)
            for axis in zip(features.spatial, self.kernel, self.stride, self.pads, self.dilation, strict=True)
        )
        return ((*features.batch, self.out_channels, *spatial),)

    def arithmetic(self, operands: Shapes, outputs: Shapes) -> Arithmetic:
        return self.arithmetic_at(outputs[0], biased=len(operands) > 2)

    def arithmetic_at(self, positions: Shape, *, biased: bool = False) -> Arithmetic:
        """The work of one output value per position of the map `positions`, whose channels are ignored.

        Texts that write `D_F` for the input map count at the input's positions; everything else here
        counts at the output's.
        """
        batch, _, spatial = FeatureMap.of(positions, len(self.kernel))
        values = math.prod(batch) * math.prod(spatial) * self.out_channels
        taps = self.in_channels // self.groups * math.prod(self.kernel)
        return Arithmetic(values * taps, values if biased else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvTranspose(_ConvAttributes):
    """A transposed convolution with weights `(M, N_out / groups, *kernel)`: counted on input positions."""

    output_padding: tuple[int, ...]

    family: ClassVar[str] = "conv_transpose"
    formula: ClassVar[str] = "in_positions * M * (N/groups) * prod(kernel); bias adds are other ops"
    reference: ClassVar[str] = _CONVENTION

    @property
    def weight_shape(self) -> Shape:
        return (self.in_channels, self.out_channels // self.groups, *self.kernel)

    def output_shapes(self, operands: Shapes) -> Shapes:
        features = self._map(operands[0])
        spatial = tuple(
            (size - 1) * stride - before - after + dilation * (kernel - 1) + extra + 1
            for size, kernel, stride, (before, after), dilation, extra in zip(
                features.spatial, self.kernel, self.stride, self.pads, self.dilation, self.output_padding, strict=True
            )
        )
        if min(spatial) < 1:
            raise ShapeError(f"the transposed convolution's output would be {list(spatial)}")
        return ((*features.batch, self.out_channels, *spatial),)

    def arithmetic(self, operands: Shapes, outputs: Shapes) -> Arithmetic:
        features = self._map(operands[0])
        values = math.prod(features.batch) * math.prod(features.spatial) * self.in_channels
        taps = self.out_channels // self.groups * math.prod(self.kernel)
        return Arithmetic(values * taps, math.prod(outputs[0]) if len(operands) > 2 else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeformConv(Conv):
    """A convolution whose taps are sampled at learned offsets, each from `2**axes` corners.

    Operands are data, weight, offset, then the mask if `masked`, then any bias.
    """

    masked: bool = False

    family: ClassVar[str] = "deform_conv"
    formula: ClassVar[str] = (
        "the convolution's MACs; other ops: out_positions * M * prod(kernel) * (2 * 2^axes - 1) for sampling, "
        "one more per tap for a mask, and bias adds"
    )
    reference: ClassVar[str] = "Dai et al. 2017, eq. 2-4; docs/conventions.md: sampling is other ops"

    @property
    def kind(self) -> str:
        return self.family

    def arithmetic(self, operands: Shapes, outputs: Shapes) -> Arithmetic:
        biased = len(operands) > (4 if self.masked else 3)
        macs, bias_adds = self.arithmetic_at(outputs[0], biased=biased)
        batch, _, spatial = FeatureMap.of(outputs[0], len(self.kernel))
        taps = math.prod(batch) * math.prod(spatial) * self.in_channels * math.prod(self.kernel)
        per_tap = 2 * 2 ** len(self.kernel) - 1 + (1 if self.masked else 0)
        return Arithmetic(macs, bias_adds + taps * per_tap)


def conv_output_size(size: int, kernel: int, stride: int, pad: tuple[int, int], dilation: int) -> int:
    """`floor((size + pads - dilation * (kernel - 1) - 1) / stride) + 1`; refuses a kernel that does not fit.

    >>> conv_output_size(224, kernel=7, stride=2, pad=(3, 3), dilation=1)
    112
    """
    padded = size + sum(pad)
    extent = dilation * (kernel - 1) + 1
    if extent > padded:
        raise ShapeError(f"kernel of extent {extent} is larger than the padded input of {padded}")
    return (padded - extent) // stride + 1


def same_padding(size: int, kernel: int, stride: int, dilation: int, *, extra_after: bool = True) -> tuple[int, int]:
    """Padding for an output of `ceil(size / stride)`; an odd pixel goes after (or before) the data.

    >>> same_padding(20, kernel=4, stride=1, dilation=1)
    (1, 2)
    """
    wanted = -(-size // stride)
    total = max((wanted - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
    small = total // 2
    return (small, total - small) if extra_after else (total - small, small)
