"""One node as its lowering sees it: operands with shapes, attributes, known values, and room for extra steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from convcost.dataclasses import dataclass
from convcost.graph import DType, Shape, Tensor
from convcost.graph.ops import Op
from convcost.sources.onnx.attributes import Attributes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class NotCountedError(Exception):
    """The node cannot be counted; the message is the reason an `Unknown` gives. Never leaves this package."""


MISFITS = (ValueError, IndexError, ArithmeticError)
"""What is raised for attributes and values that do not fit their operands; the last for infinity as a whole number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """An op with its operands in the op's own order. The first output shares the memory of `view_of`, if given.

    `shapes` and `dtype` tell what the outputs are where inference does not know, by their positions in the file.
    `passed` are the outputs, again by position, that are no work of this op: an earlier step's, or an operand as it is.
    """

    op: Op
    operands: tuple[Tensor, ...]
    view_of: Tensor | None = None
    shapes: tuple[Shape | None, ...] = ()
    dtype: DType | None = None
    passed: Mapping[int, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A node before it is named."""

    op: Op
    operands: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


@dataclass(slots=True, kw_only=True)
class Call:
    """A node being lowered. `arguments` are as in the file, None where omitted; `results` are the output shapes
    that inference knows, None where it does not. `steps` collects nodes that come before the last one.
    `asked_for_values` says whether the lowering went by more than shapes and attributes.
    """

    operator: str
    domain: str
    opset: int
    attributes: Attributes
    names: Sequence[str]
    arguments: tuple[Tensor | None, ...]
    results: tuple[Shape | None, ...]
    known: Callable[[str], NDArray[np.generic] | None]
    prefix: str
    steps: list[Step] = field(default_factory=list)
    asked_for_values: bool = False

    @property
    def operands(self) -> tuple[Tensor, ...]:
        """The arguments that are present."""
        return tuple([argument for argument in self.arguments if argument is not None])

    def argument(self, position: int) -> Tensor | None:
        return self.arguments[position] if position < len(self.arguments) else None

    def operand(self, position: int) -> Tensor:
        """An argument the operator requires."""
        found = self.argument(position)
        if found is None:
            raise NotCountedError(f"its input {position} is missing")
        return found

    def picked(self, *positions: int) -> tuple[Tensor, ...]:
        """Arguments in another order, those omitted left out."""
        return tuple([found for position in positions if (found := self.argument(position)) is not None])

    def result(self, position: int = 0) -> Shape:
        """An output shape that the operator's cost or meaning hangs on."""
        shape = self.results[position] if position < len(self.results) else None
        if shape is None:
            raise NotCountedError("the shape of its output is known only when it runs")
        return shape

    def shapes(self) -> tuple[Shape, ...]:
        return tuple(self.result(position) for position in range(len(self.results)))

    def values(self, position: int) -> NDArray[np.generic] | None:
        """The values of an argument, where they are known without running."""
        self.asked_for_values = True
        return self.known(self.names[position]) if position < len(self.names) else None

    def integers(self, position: int) -> tuple[int, ...] | None:
        """The values of an integer argument such as shapes or axes, flat."""
        found = self.values(position)
        return None if found is None else tuple(int(item) for item in found.reshape(-1))

    def number(self, position: int) -> float | None:
        """The value of a scalar argument."""
        found = self.values(position)
        return float(found.reshape(-1)[0]) if found is not None and found.size == 1 else None

    def step(self, op: Op, *operands: Tensor, shape: Shape | None = None, dtype: DType | None = None) -> Tensor:
        """Adds a node before the last one and returns its output, of `shape` or else of the op's own."""
        if shape is None:
            shape = op.output_shapes(tuple(operand.shape for operand in operands))[0]
        output = Tensor(
            name=f"{self.prefix}:{len(self.steps)}",
            shape=shape,
            dtype=dtype or operands[0].dtype,
            weight=operands[0].weight if op.is_view else None,
            alias=operands[0].buffer if op.is_view else "",
        )
        self.steps.append(Step(op=op, operands=operands, outputs=(output,)))
        return output
