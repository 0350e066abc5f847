"""Fourier transforms, and products of complex numbers."""

from __future__ import annotations

import math

import pytest

from convcost.errors import ShapeError
from convcost.graph import DType, Tensor
from convcost.graph.ops import Elementwise, Fourier, MatMul


def transformed(op: Fourier, *shape: int) -> tuple[tuple[int, ...], int]:
    """The shape a transform gives, and its other ops."""
    (result,) = op.output_shapes((shape,))
    macs, other_ops = op.arithmetic((shape,), (result,))
    assert macs == 0
    return result, other_ops


def test_a_transform_is_five_n_log_n() -> None:
    assert transformed(Fourier(axes=(1,)), 3, 8) == ((3, 8), 3 * 5 * 8 * 3)
    assert transformed(Fourier(axes=(0, 1)), 4, 8) == ((4, 8), 5 * 32 * (2 + 3))


def test_real_data_takes_half_the_work_and_keeps_half_the_spectrum() -> None:
    assert transformed(Fourier(axes=(-1,), spectrum="real"), 3, 8) == ((3, 5), 3 * 5 * 8 * 3 // 2)
    assert transformed(Fourier(axes=(-1,), spectrum="real", onesided=False), 3, 8)[0] == (3, 8)


@pytest.mark.parametrize("length", [8, 9])
def test_the_way_back_costs_what_the_way_there_does(length: int) -> None:
    spectrum, there = transformed(Fourier(axes=(1,), spectrum="real"), 3, length)
    back = transformed(Fourier(axes=(1,), spectrum="inverse_real", length=length), *spectrum)
    assert back == ((3, length), there)


def test_a_size_between_powers_of_two_is_rounded_up() -> None:
    assert transformed(Fourier(axes=(0,)), 9)[1] == 5 * 9 * math.ceil(math.log2(9))


@pytest.mark.parametrize("axes", [(), (2,)])
def test_axes_that_are_not_there_are_refused(axes: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="transform axes"):
        Fourier(axes=axes).output_shapes(((4, 8),))


def product(left: DType, right: DType) -> int:
    operands = (Tensor(name="a", shape=(3, 4), dtype=left), Tensor(name="b", shape=(4, 5), dtype=right))
    return MatMul().cost(operands, (Tensor(name="c", shape=(3, 5), dtype=left),)).macs


def test_a_complex_product_is_four_real_ones() -> None:
    assert product(DType.FLOAT32, DType.FLOAT32) == 3 * 4 * 5
    assert product(DType.COMPLEX64, DType.FLOAT32) == 2 * 3 * 4 * 5
    assert product(DType.COMPLEX64, DType.COMPLEX64) == 4 * 3 * 4 * 5


def test_elementwise_work_on_complex_numbers_stays_no_macs() -> None:
    pair = Tensor(name="a", shape=(4,), dtype=DType.COMPLEX64)
    assert Elementwise(function="mul").cost((pair, pair), (pair,)).macs == 0
