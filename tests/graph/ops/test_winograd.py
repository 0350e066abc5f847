"""Minimal filtering performed tile by tile in exact fractions: the same result, with as many products as claimed."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcost.errors import ShapeError
from convcost.graph.ops import WinogradConv
from convcost.graph.ops.winograd import data_matrix, output_matrix
from tests.oracle import Array, Multiplier, convolve

POINTS = [Fraction(value) for value in ("0", "1", "-1", "2", "-2", "1/2", "-1/2")]


def winograd(kernel: tuple[int, ...], tile: int, *, m: int = 2, n: int = 2, groups: int = 1) -> WinogradConv:
    ones = (1,) * len(kernel)
    return WinogradConv(
        in_channels=m, out_channels=n, kernel=kernel, stride=ones, pads=((1, 0),) * len(kernel), dilation=ones,
        groups=groups, tile=tile,
    )  # fmt: skip


def kernel_matrix(tile: int, kernel: int) -> list[list[Fraction]]:
    """G of Toom-Cook: the kernel's polynomial at every point, divided as interpolation asks, and at infinity."""
    if tile == kernel == 1:
        return [[Fraction(1)]]
    points = POINTS[: tile + kernel - 2]
    rows = [
        [point**power / math.prod(point - other for other in points if other != point) for power in range(kernel)]
        for point in points
    ]
    return [*rows, [Fraction(power == kernel - 1) for power in range(kernel)]]


def along_every_axis(matrices: list, values: dict[tuple[int, ...], Fraction]) -> dict[tuple[int, ...], Fraction]:
    for axis, matrix in enumerate(matrices):
        result: dict[tuple[int, ...], Fraction] = {}
        for at, value in values.items():
            for row, entries in enumerate(matrix):
                place = (*at[:axis], row, *at[axis + 1 :])
                result[place] = result.get(place, Fraction(0)) + entries[at[axis]] * value
        values = result
    return values


def by_tiles(op: WinogradConv, data: Array, weight: Array, out: tuple[int, ...]) -> tuple[dict, int]:
    """The output, and how many products of transformed data with transformed kernels it took."""
    axes = [(op.tile if size > 1 else 1, size) for size in op.kernel]
    before = [pad[0] for pad in op.pads]
    products, output = 0, {}
    per_group, filters = op.in_channels // op.groups, op.out_channels // op.groups
    inside = [range(tile + size - 1) for tile, size in axes]
    for corner in itertools.product(*(range(0, size, tile) for size, (tile, _) in zip(out, axes, strict=True))):
        spectra = []
        for channel in range(op.in_channels):
            patch = {
                at: Fraction(data[0, channel, *(c + i - b for c, i, b in zip(corner, at, before, strict=True))])
                for at in itertools.product(*inside)
            }
            spectra.append(along_every_axis([data_matrix(*axis) for axis in axes], patch))
        for f in range(op.out_channels):
            total: dict[tuple[int, ...], Fraction] = {}
            for c in range(per_group):
                taps = itertools.product(*(range(size) for size in op.kernel))
                kernel = {tap: Fraction(weight[f, c, *tap]) for tap in taps}
                kernel = along_every_axis([kernel_matrix(*axis) for axis in axes], kernel)
                for at, value in spectra[f // filters * per_group + c].items():
                    products += 1
                    total[at] = total.get(at, Fraction(0)) + value * kernel[at]
            for at, value in along_every_axis([output_matrix(*axis) for axis in axes], total).items():
                output[(0, f, *(c + i for c, i in zip(corner, at, strict=True)))] = value
    return output, products


@settings(max_examples=30, deadline=None)
@given(
    tile=st.sampled_from([2, 4, 6]),
    kernel=st.sampled_from([(3,), (3, 3), (1, 3), (3, 1)]),
    size=st.integers(3, 8),
    groups=st.sampled_from([1, 2]),
)
def test_tiles_give_the_convolution_with_the_products_that_are_counted(
    tile: int, kernel: tuple[int, ...], size: int, groups: int
) -> None:
    op = winograd(kernel, tile, m=2, n=2, groups=groups)
    spatial = tuple(size + axis for axis in range(len(kernel)))
    data, weight = Array.counting(1, 2, *spatial), Array.counting(*op.weight_shape)
    expected = convolve(
        data, weight, stride=op.stride, pads=op.pads, dilation=op.dilation, groups=groups, times=Multiplier()
    )
    (shape,) = op.output_shapes((data.shape,))
    output, products = by_tiles(op, data, weight, shape[2:])
    assert shape == expected.shape
    assert all(output[at] == expected[at] for at in itertools.product(*map(range, shape)))
    assert op.arithmetic((data.shape, op.weight_shape), (shape,)).macs == products


def test_the_transforms_of_f_2x2_3x3_cost_what_lavin_and_gray_say() -> None:
    op = winograd((3, 3), 2, m=1, n=1)
    # One tile: 32 additions for the data, 24 for the result.
    assert op.arithmetic(((1, 1, 3, 3), op.weight_shape), ((1, 1, 2, 2),)) == (16, 32 + 24)


def test_products_with_other_entries_than_one_are_operations_too() -> None:
    op = winograd((3,), 4, m=1, n=1)
    # Rows of B^T: twice 4x-5y+z (2+2), four times four terms of which two are scaled (3+2).
    # Rows of A^T: five terms (4); 1 1 2 2 and 1 1 4 4 (3+2 each); 1 1 8 8 1 (4+2).
    assert op.arithmetic(((1, 1, 5), op.weight_shape), ((1, 1, 4),)) == (6, 28 + 20)


def test_transforms_grow_with_channels_and_products_with_their_pairs() -> None:
    shapes = ((1, 8, 3, 3), (1, 4, 2, 2))
    op = winograd((3, 3), 2, m=8, n=4)
    assert op.arithmetic((shapes[0], op.weight_shape), (shapes[1],)) == (16 * 8 * 4, 8 * 32 + 4 * 24)


def test_biases_are_other_ops_per_output() -> None:
    op = winograd((3, 3), 2, m=1, n=1)
    plain = op.arithmetic(((1, 1, 5, 5), op.weight_shape), ((1, 1, 4, 4),))
    biased = op.arithmetic(((1, 1, 5, 5), op.weight_shape, (1,)), ((1, 1, 4, 4),))
    assert biased.other_ops - plain.other_ops == 16


def test_strides_and_kernels_that_need_unknown_points_are_refused() -> None:
    with pytest.raises(ShapeError, match="tiles of 6 with a kernel of 5"):
        winograd((5, 5), 6)
    with pytest.raises(ShapeError, match="stride and dilation 1"):
        WinogradConv(in_channels=1, out_channels=1, kernel=(3,), stride=(2,), pads=((0, 0),), dilation=(1,), tile=2)
