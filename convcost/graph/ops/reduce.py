"""Reductions and orderings: every input element is looked at once."""

from __future__ import annotations

import math
from typing import ClassVar

from convcost.dataclasses import dataclass
from convcost.errors import ShapeError
from convcost.graph.ops.base import Arithmetic, Op, Shapes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduce(Op):
    """Sum, mean, maximum, argmax … along `axes` (empty: along all)."""

    function: str
    axes: tuple[int, ...] = ()
    keepdims: bool = False

    family: ClassVar[str] = "reduce"
    formula: ClassVar[str] = "0 MACs; 1 other op per input element"
    reference: ClassVar[str] = "one accumulation or comparison per element"

    def output_shapes(self, operands: Shapes) -> Shapes:
        shape = operands[0]
        rank = len(shape)
        if any(not -rank <= axis < rank for axis in self.axes):
            raise ShapeError(f"reduction axes {list(self.axes)} lie outside a tensor of {rank} dimensions")
        reduced = {axis % rank for axis in self.axes} if self.axes else set(range(rank))
        if self.keepdims:
            return (tuple(1 if axis in reduced else size for axis, size in enumerate(shape)),)
        return (tuple(size for axis, size in enumerate(shape) if axis not in reduced),)

    def arithmetic(self, operands: Shapes, outputs: Shapes) -> Arithmetic:
        return Arithmetic(0, math.prod(operands[0]))
