"""What convcost does not know, as a value: it is listed, and makes totals of work lower bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from convcost.dataclasses import dataclass
from convcost.graph.ops.base import Arithmetic, Attribute, Op, Shapes
from convcost.graph.tensor import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(Op):
    """An operator whose cost is not known, and why."""

    operator: str
    reason: str
    shapes: tuple[Shape, ...] = ()

    family: ClassVar[str] = "unknown"
    formula: ClassVar[str] = "not counted: totals that contain it are lower bounds, and a budget cannot pass on them"
    reference: ClassVar[str] = "there is no silent zero"

    def output_shapes(self, operands: Shapes) -> Shapes:
        return self.shapes

    def arithmetic(self, operands: Shapes, outputs: Shapes) -> Arithmetic:
        return Arithmetic(0, 0)

    def attributes(self) -> Mapping[str, Attribute]:
        return {"operator": self.operator, "reason": self.reason}
