"""Normalisation and softmax: no MACs, a fixed number of operations per element."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from convcost.dataclasses import dataclass
from convcost.graph.ops.base import Arithmetic, Op, Shapes

NormMethod = Literal["batch", "layer", "group", "instance", "rms", "lp", "local_response"]

_OPS_PER_ELEMENT: dict[NormMethod, int] = {
    "batch": 2,  # x * scale + shift, statistics folded into both
    "layer": 7,  # mean 1, deviation 1, square and sum 2, divide 1, scale and shift 2
    "group": 7,
    "instance": 7,
    "rms": 4,  # square and sum 2, divide 1, scale 1
    "lp": 3,  # power and sum 2, divide 1
    "local_response": 4,  # square and sum 2, power 1, divide 1
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalize(Op):
    """Brings values to a common scale with statistics stored (batch) or computed from the data (the others).

    `epsilon` is added to the variance; None where the source does not say. It costs nothing, but folding needs it.
    """

    method: NormMethod
    epsilon: float | None = None

    family: ClassVar[str] = "norm"
    formula: ClassVar[str] = "0 MACs; other ops per element: " + ", ".join(
        f"{method} {count}" for method, count in _OPS_PER_ELEMENT.items()
    )
    reference: ClassVar[str] = "Ioffe & Szegedy 2015; Ba et al. 2016; Wu & He 2018; Zhang & Sennrich 2019"

    def output_shapes(self, operands: Shapes) -> Shapes:
        return (operands[0],)

    def arithmetic(self, operands: Shapes, outputs: Shapes) -> Arithmetic:
        return Arithmetic(0, math.prod(operands[0]) * _OPS_PER_ELEMENT[self.method])


@dataclass(frozen=True, slots=True, kw_only=True)
class Softmax(Op):
    """Softmax or its logarithm along one axis."""

    OPS_PER_ELEMENT: ClassVar[int] = 5

    family: ClassVar[str] = "softmax"
    formula: ClassVar[str] = "0 MACs; 5 other ops per element: maximum, subtract, exponential, sum, divide"
    reference: ClassVar[str] = "the numerically stable definition"

    def output_shapes(self, operands: Shapes) -> Shapes:
        return (operands[0],)

    def arithmetic(self, operands: Shapes, outputs: Shapes) -> Arithmetic:
        return Arithmetic(0, math.prod(operands[0]) * self.OPS_PER_ELEMENT)
