"""Convolution by Fourier transforms performed in floating point: the same result, with as many products as claimed."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcost.errors import ShapeError
from convcost.graph.ops import FftConv
from tests.oracle import Array, Multiplier, convolve


def fft(kernel: tuple[int, ...], size: int | None, *, m: int = 2, n: int = 2, groups: int = 1) -> FftConv:
    ones = (1,) * len(kernel)
    return FftConv(
        in_channels=m, out_channels=n, kernel=kernel, stride=ones, pads=((1, 0),) * len(kernel), dilation=ones,
        groups=groups, size=size,
    )  # fmt: skip


def dense(array: Array) -> np.ndarray:
    return np.array(array.tolist(), dtype=float).reshape(array.shape)


def by_transforms(op: FftConv, data: np.ndarray, weight: np.ndarray, out: tuple[int, ...]) -> tuple[np.ndarray, int]:
    """Overlap-save with numpy's real transforms, along axes that have a kernel; returns real products as well."""
    axes = range(len(op.kernel))
    sizes = [
        1 if kernel == 1 else op.size or 2 ** math.ceil(math.log2(length + kernel - 1))
        for kernel, length in zip(op.kernel, out, strict=True)
    ]
    transformed = [axis - len(op.kernel) for axis in axes if op.kernel[axis] > 1]
    lengths = [sizes[axis] for axis in transformed]
    steps = [size - kernel + 1 for size, kernel in zip(sizes, op.kernel, strict=True)]
    padded = np.pad(data, [(0, 0), (0, 0), *[(before, after + 64) for before, after in op.pads]])
    # Convolution flips a kernel, a network does not.
    flipped = np.flip(weight, axis=transformed)
    kernels = np.fft.rfftn(flipped, s=lengths, axes=transformed)
    result, products = np.zeros((1, op.out_channels, *out)), 0
    per_group, filters = op.in_channels // op.groups, op.out_channels // op.groups
    for corner in itertools.product(*(range(0, length, step) for length, step in zip(out, steps, strict=True))):
        window = tuple(slice(start, start + size) for start, size in zip(corner, sizes, strict=True))
        spectra = np.fft.rfftn(padded[(0, slice(None), *window)], s=lengths, axes=transformed)
        for f in range(op.out_channels):
            first = f // filters * per_group
            pairs = spectra[first : first + per_group] * kernels[f]
            products += 4 * pairs.size
            whole = np.fft.irfftn(pairs.sum(axis=0), s=lengths, axes=transformed)
            valid = whole[tuple(slice(kernel - 1, None) for kernel in op.kernel)]
            target = result[(0, f, *(slice(c, c + step) for c, step in zip(corner, steps, strict=True)))]
            target[...] = valid[tuple(slice(0, length) for length in target.shape)]
    return result, products


@settings(max_examples=40, deadline=None)
@given(
    size=st.sampled_from([None, 8, 16]),
    kernel=st.sampled_from([(3,), (5,), (3, 3), (2, 5), (1, 3), (3, 1)]),
    length=st.integers(5, 12),
    groups=st.sampled_from([1, 2]),
)
def test_transforms_give_the_convolution_with_the_products_that_are_counted(
    size: int | None, kernel: tuple[int, ...], length: int, groups: int
) -> None:
    op = fft(kernel, size, groups=groups)
    spatial = tuple(length + axis for axis in range(len(kernel)))
    data, weight = Array.counting(1, 2, *spatial), Array.counting(*op.weight_shape)
    expected = convolve(
        data, weight, stride=op.stride, pads=op.pads, dilation=op.dilation, groups=groups, times=Multiplier()
    )
    (shape,) = op.output_shapes((data.shape,))
    output, products = by_transforms(op, dense(data), dense(weight), shape[2:])
    assert np.allclose(output, dense(expected), atol=1e-8)
    assert op.arithmetic((data.shape, op.weight_shape), (shape,)).macs == products


def test_a_14x14_map_takes_one_transform_of_16() -> None:
    op = fft((3, 3), None, m=512, n=512)
    macs, other_ops = op.arithmetic(((1, 512, 15, 15), op.weight_shape), ((1, 512, 14, 14),))
    assert macs == 4 * 16 * 9 * 512 * 512
    assert other_ops == 2 * 512 * (5 * 256 * 8 // 2)


def test_large_kernels_gain_most() -> None:
    def saving(side: int) -> float:
        op = fft((side, side), None, m=64, n=64)
        (shape,) = op.output_shapes(((1, 64, 60, 60),))
        return op.arithmetic_at(shape).macs / (side * side * 64 * 64 * math.prod(shape[2:]))

    assert saving(11) < saving(7) < saving(3)


def test_sizes_that_are_no_power_of_two_or_too_small_are_refused() -> None:
    with pytest.raises(ShapeError, match="a power of two that holds the kernel, not 12"):
        fft((3, 3), 12)
    with pytest.raises(ShapeError, match="a power of two that holds the kernel, not 2"):
        fft((3, 3), 2)
    with pytest.raises(ShapeError, match="stride and dilation 1"):
        FftConv(in_channels=1, out_channels=1, kernel=(3,), stride=(2,), pads=((0, 0),), dilation=(1,))
