"""A convolution computed by Winograd's minimal filtering: the same result from fewer multiplies."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from convcost.dataclasses import dataclass
from convcost.errors import ShapeError
from convcost.graph.ops.base import Arithmetic
from convcost.graph.ops.conv import Conv, FeatureMap
from convcost.graph.tensor import Shape

if TYPE_CHECKING:
    from fractions import Fraction

Row: TypeAlias = "tuple[Fraction | int, ...]"
Matrix: TypeAlias = "tuple[Row, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class WinogradConv(Conv):
    """A convolution of stride and dilation 1, made in tiles of `tile` outputs along each axis that has a kernel.

    Weights and result are the convolution's. Kernels are transformed once, ahead of time, and not counted.
    """

    tile: int

    family: ClassVar[str] = "winograd_conv"
    formula: ClassVar[str] = (
        "tiles * prod(tile + kernel - 1) * N * (M/groups), tiles = prod(ceil(out / tile)); other ops: the tiles' "
        "transforms by their matrices, one per product with an entry other than 0, 1, -1 and one per addition"
    )
    reference: ClassVar[str] = "Winograd 1980; Lavin & Gray 2016, F(m, r); matrices by Toom-Cook at 0, ±1, ±2, ±1/2, ∞"

    def __post_init__(self) -> None:
        Conv.__post_init__(self)
        if self.tile < 1 or any(size != 1 for size in (*self.stride, *self.dilation)):
            raise ShapeError("minimal filtering takes tiles of at least 1, at stride and dilation 1")
        if self.tile + max(self.kernel) - 2 > len(_points()):
            raise ShapeError(
                f"tiles of {self.tile} with a kernel of {max(self.kernel)} need more points than are known"
            )

    @property
    def kind(self) -> str:
        return self.family

    def arithmetic_at(self, positions: Shape, *, biased: bool = False) -> Arithmetic:
        batch, _, spatial = FeatureMap.of(positions, len(self.kernel))
        axes = [(self.tile if kernel > 1 else 1, kernel) for kernel in self.kernel]
        tiles = math.prod(batch) * math.prod(-(-size // tile) for size, (tile, _) in zip(spatial, axes, strict=True))
        products = math.prod(tile + kernel - 1 for tile, kernel in axes)
        pairs = self.out_channels * self.in_channels // self.groups
        transforms = self.in_channels * _data_transform(axes) + self.out_channels * _inverse_transform(axes)
        bias_adds = math.prod(batch) * math.prod(spatial) * self.out_channels if biased else 0
        return Arithmetic(tiles * products * pairs, tiles * transforms + bias_adds)


def _data_transform(axes: list[tuple[int, int]]) -> int:
    """Operations that bring one tile of input to the domain of products, axis by axis; its size stays."""
    points = [tile + kernel - 1 for tile, kernel in axes]
    return sum(
        _operations(data_matrix(*axis)) * math.prod(points[:at] + points[at + 1 :]) for at, axis in enumerate(axes)
    )


def _inverse_transform(axes: list[tuple[int, int]]) -> int:
    """Operations that bring one tile of products back; every axis done is as short as the outputs."""
    return sum(
        _operations(output_matrix(*axis))
        * math.prod(tile for tile, _ in axes[:at])
        * math.prod(tile + kernel - 1 for tile, kernel in axes[at + 1 :])
        for at, axis in enumerate(axes)
    )


@functools.cache
def _points() -> tuple[Fraction, ...]:
    """Where the polynomials are evaluated, infinity aside: the choice of Lavin & Gray for tiles of 2, 4 and 6."""
    from fractions import Fraction  # with decimal, more than 1 ms that no other op needs

    return tuple(Fraction(numerator, 2) for numerator in (0, 2, -2, 4, -4, 1, -1))


@functools.cache
def data_matrix(tile: int, kernel: int) -> Matrix:
    """Lavin & Gray's B^T of F(tile, kernel): each row a polynomial that vanishes at every point but one."""
    if kernel == 1 and tile == 1:
        return ((1,),)
    points = _points()[: tile + kernel - 2]
    rows = [_polynomial(points[:at] + points[at + 1 :]) for at in range(len(points))]
    return (*((*row, 0) for row in rows), _polynomial(points))


@functools.cache
def output_matrix(tile: int, kernel: int) -> Matrix:
    """Lavin & Gray's A^T of F(tile, kernel): powers of the points, and infinity's share of the last output."""
    points = _points()[: tile + kernel - 2]
    return tuple((*(point**power for point in points), int(power == tile - 1)) for power in range(tile))


def _polynomial(roots: Row) -> Row:
    """Coefficients, constant first, of the product of (x - root)."""
    coefficients: list[Fraction | int] = [1]
    for root in roots:
        shifted = [0, *coefficients]
        scaled = [*(-root * value for value in coefficients), 0]
        coefficients = [a + b for a, b in zip(shifted, scaled, strict=True)]
    return tuple(coefficients)


@functools.cache
def _operations(matrix: Matrix) -> int:
    """Additions and products by entries other than 0, 1 and -1, without sharing anything between rows."""
    rows = [[entry for entry in row if entry] for row in matrix]
    return sum(len(row) - 1 + sum(abs(entry) != 1 for entry in row) for row in rows)
