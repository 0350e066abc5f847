"""Interpolation to another size or at given points."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from convcost.dataclasses import dataclass
from convcost.errors import ShapeError
from convcost.graph.ops.base import Arithmetic, Op, Shapes

Interpolation = Literal["nearest", "linear", "cubic"]

_TAPS_PER_AXIS: dict[Interpolation, int] = {"nearest": 1, "linear": 2, "cubic": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resample(Op):
    """Resizes the trailing axes to `output_size`, or samples there on a grid."""

    interpolation: Interpolation
    output_size: tuple[int, ...]

    family: ClassVar[str] = "resample"
    formula: ClassVar[str] = (
        "0 MACs; other ops per output element: 0 nearest, else 2 * taps - 1 with taps = 2^axes linear, 4^axes cubic"
    )
    reference: ClassVar[str] = "a weighted sum of neighbours; docs/conventions.md: interpolation is other ops"

    def output_shapes(self, operands: Shapes) -> Shapes:
        axes = len(self.output_size)
        if len(operands[0]) < axes:
            raise ShapeError(f"cannot resize {axes} axes of a tensor of shape {list(operands[0])}")
        return ((*operands[0][: len(operands[0]) - axes], *self.output_size),)

    def arithmetic(self, operands: Shapes, outputs: Shapes) -> Arithmetic:
        taps = _TAPS_PER_AXIS[self.interpolation] ** len(self.output_size)
        return Arithmetic(0, math.prod(outputs[0]) * (2 * taps - 1) if taps > 1 else 0)
