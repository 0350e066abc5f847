"""Discrete Fourier transforms."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from convcost.dataclasses import dataclass
from convcost.errors import ShapeError
from convcost.graph.ops.base import Arithmetic, Op, Shapes

Spectrum = Literal["complex", "real", "inverse_real"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fourier(Op):
    """A fast transform along `axes`, of complex data, of real data, or back to real data.

    Of real data, and where `onesided`, only the half of the last axis is kept that the other half follows from;
    `length` is the size of the last axis on the way back.
    """

    axes: tuple[int, ...]
    spectrum: Spectrum = "complex"
    onesided: bool = True
    length: int = 0

    family: ClassVar[str] = "fourier"
    formula: ClassVar[str] = (
        "0 MACs; other ops: 5 * elements * sum over axes of log2(size), rounded up; half of it where one side is real"
    )
    reference: ClassVar[str] = "5 n log2 n of Cooley & Tukey 1965; a real signal is half a complex one"

    def output_shapes(self, operands: Shapes) -> Shapes:
        shape = list(operands[0])
        if not self.axes or any(not -len(shape) <= axis < len(shape) for axis in self.axes):
            raise ShapeError(f"transform axes {list(self.axes)} do not fit a tensor of {len(shape)} dimensions")
        last = self.axes[-1]
        if self.spectrum == "real" and self.onesided:
            shape[last] = shape[last] // 2 + 1
        elif self.spectrum == "inverse_real":
            shape[last] = self.length
        return (tuple(shape),)

    def arithmetic(self, operands: Shapes, outputs: Shapes) -> Arithmetic:
        # The side that is not cut in half has the transform's own sizes.
        whole = outputs[0] if self.spectrum == "inverse_real" else operands[0]
        passes = sum((whole[axis] - 1).bit_length() for axis in self.axes)
        complex_ops = 5 * math.prod(whole) * passes
        return Arithmetic(0, complex_ops if self.spectrum == "complex" else -(-complex_ops // 2))
