"""A convolution computed in the frequency domain: the same result from fewer multiplies, for large kernels."""

from __future__ import annotations

import math
from typing import ClassVar

from convcost.dataclasses import dataclass
from convcost.errors import ShapeError
from convcost.graph.ops.base import Arithmetic
from convcost.graph.ops.conv import Conv, FeatureMap
from convcost.graph.tensor import Shape

_REAL_MULTIPLIES = 4
"""A complex product the plain way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FftConv(Conv):
    """A convolution of stride and dilation 1 by real Fourier transforms of `size` along each axis that has a kernel.

    A transform of size S gives S - kernel + 1 outputs (overlap-save); without `size`, the power of two
    that takes the whole padded map. Weights and result are the convolution's. Kernels are transformed once, ahead
    of time, and not counted.
    """

    size: int | None = None

    family: ClassVar[str] = "fft_conv"
    formula: ClassVar[str] = (
        "tiles * 4 * prod(S) * (S/2 + 1)/S * N * (M/groups), tiles = prod(ceil(out / (S - kernel + 1))); "
        "other ops: tiles * (M + N) real transforms of 5/2 * prod(S) * log2(prod(S))"
    )
    reference: ClassVar[str] = (
        "Mathieu et al. 2014; a real input needs half the spectrum; 5 n log2 n of Cooley & Tukey 1965"
    )

    def __post_init__(self) -> None:
        Conv.__post_init__(self)
        if any(step != 1 for step in (*self.stride, *self.dilation)):
            raise ShapeError("a Fourier transform takes convolutions of stride and dilation 1")
        if self.size is not None and (self.size < max(self.kernel) or self.size & (self.size - 1)):
            raise ShapeError(f"a transform's size is a power of two that holds the kernel, not {self.size}")

    @property
    def kind(self) -> str:
        return self.family

    def arithmetic_at(self, positions: Shape, *, biased: bool = False) -> Arithmetic:
        batch, _, spatial = FeatureMap.of(positions, len(self.kernel))
        sizes = [self._transform(out, kernel) for out, kernel in zip(spatial, self.kernel, strict=True)]
        tiles = math.prod(batch) * math.prod(
            -(-out // (size - kernel + 1)) for out, size, kernel in zip(spatial, sizes, self.kernel, strict=True)
        )
        points = math.prod(sizes)
        last = next((size for size in reversed(sizes) if size > 1), 1)
        spectrum = points // last * (last // 2 + 1)
        pairs = self.out_channels * self.in_channels // self.groups
        transform = 5 * points * (points.bit_length() - 1) // 2
        bias_adds = math.prod(batch) * math.prod(spatial) * self.out_channels if biased else 0
        return Arithmetic(
            tiles * _REAL_MULTIPLIES * spectrum * pairs,
            tiles * (self.in_channels + self.out_channels) * transform + bias_adds,
        )

    def _transform(self, out: int, kernel: int) -> int:
        """The transform's size along an axis: an axis without a kernel is not transformed."""
        if kernel == 1:
            return 1
        needed = out + kernel - 1
        return self.size or 1 << (needed - 1).bit_length()
