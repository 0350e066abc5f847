"""One result per element: activations, and arithmetic between tensors."""

from __future__ import annotations

import math
from typing import ClassVar

from convcost.dataclasses import dataclass
from convcost.graph.ops.base import Arithmetic, Op, Shapes, broadcast


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation(Op):
    """A fixed function of every element (ReLU, GELU, sigmoid …)."""

    function: str

    family: ClassVar[str] = "activation"
    formula: ClassVar[str] = "0 MACs; 1 other op per element, however costly the function"
    reference: ClassVar[str] = "docs/conventions.md: activations are other ops"

    def output_shapes(self, operands: Shapes) -> Shapes:
        return (operands[0],)

    def arithmetic(self, operands: Shapes, outputs: Shapes) -> Arithmetic:
        return Arithmetic(0, math.prod(outputs[0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Elementwise(Op):
    """Arithmetic, comparison or selection between tensors of broadcast shapes.

    `operations` is how many of them make one element of the result.
    """

    function: str
    operations: int = 1

    family: ClassVar[str] = "elementwise"
    formula: ClassVar[str] = "0 MACs; out_elements * operations other ops"
    reference: ClassVar[str] = "docs/conventions.md: elementwise arithmetic is other ops"

    def output_shapes(self, operands: Shapes) -> Shapes:
        return (broadcast(operands),)

    def arithmetic(self, operands: Shapes, outputs: Shapes) -> Arithmetic:
        return Arithmetic(0, math.prod(outputs[0]) * self.operations)
