"""Data put elsewhere: views, copies and look-ups. No arithmetic, but possibly many bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from convcost.dataclasses import dataclass
from convcost.errors import ShapeError
from convcost.graph.ops.base import Arithmetic, Attribute, Op, Shapes
from convcost.graph.tensor import Shape, Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Move(Op):
    """Reshape, transpose, concatenate, pad, cast … to `shapes`; a `view` moves no byte."""

    action: str
    shapes: tuple[Shape, ...]
    view: bool = False

    family: ClassVar[str] = "move"
    formula: ClassVar[str] = "0 MACs, 0 other ops; bytes: what is read and written, none for a view"
    reference: ClassVar[str] = "docs/conventions.md: bytes moved"

    @property
    def is_view(self) -> bool:
        return self.view

    def output_shapes(self, operands: Shapes) -> Shapes:
        return self.shapes

    def arithmetic(self, operands: Shapes, outputs: Shapes) -> Arithmetic:
        return Arithmetic(0, 0)

    def attributes(self) -> Mapping[str, Attribute]:
        # The shapes are the outputs' and would be said twice.
        return {"action": self.action, "view": self.view}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gather(Op):
    """Rows of a table `operands[0]` picked by indices `operands[1]` along `axis`: an embedding look-up."""

    axis: int = 0

    family: ClassVar[str] = "gather"
    formula: ClassVar[str] = "0 MACs, 0 other ops; bytes: the indices, and the picked elements read and written"
    reference: ClassVar[str] = "docs/conventions.md: embedding look-ups are 0 MACs"

    def output_shapes(self, operands: Shapes) -> Shapes:
        table, indices = operands[:2]
        if not -len(table) <= self.axis < len(table):
            raise ShapeError(f"axis {self.axis} lies outside a table of shape {list(table)}")
        axis = self.axis % len(table)
        return ((*table[:axis], *indices, *table[axis + 1 :]),)

    def arithmetic(self, operands: Shapes, outputs: Shapes) -> Arithmetic:
        return Arithmetic(0, 0)

    def bytes_read(self, operands: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> int:
        return sum(tensor.nbytes for tensor in operands[1:]) + self.bytes_written(outputs)
