"""What every kind of computation has to say about itself."""

from __future__ import annotations

import dataclasses
import math
from abc import ABCMeta, abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar, NamedTuple, TypeAlias

from convcost.errors import ShapeError
from convcost.graph.cost import Cost
from convcost.graph.tensor import Shape, Tensor

Shapes: TypeAlias = tuple[Shape, ...]
Attribute: TypeAlias = "int | float | str | bool | tuple[Attribute, ...] | None"
"""A field of an op, as reports show it."""


class _OpType(ABCMeta):
    """Nothing is registered as an op, so `isinstance`, asked many times of every node, need not look for that."""

    __instancecheck__ = type.__instancecheck__


class Arithmetic(NamedTuple):
    """Multiply-accumulates, and every other arithmetic operation, kept apart."""

    macs: int
    other_ops: int


class Op(metaclass=_OpType):
    """A computation by its attributes alone; shapes come with the call, never with the op.

    A subclass is a frozen dataclass. `family` names it in `convcost explain`, `formula` is the text of
    what `arithmetic` computes, and `reference` is where the formula comes from.
    """

    __slots__ = ()

    family: ClassVar[str]
    formula: ClassVar[str]
    reference: ClassVar[str]

    @property
    def kind(self) -> str:
        """The word that tables group by; finer than `family` where readers expect it."""
        return self.family

    @property
    def is_view(self) -> bool:
        """Whether the output is the input's memory seen differently, so that nothing moves."""
        return False

    @abstractmethod
    def output_shapes(self, operands: Shapes) -> Shapes:
        """The shapes this op gives; raises `ShapeError` where the operands do not fit."""

    @abstractmethod
    def arithmetic(self, operands: Shapes, outputs: Shapes) -> Arithmetic:
        """The work of one execution."""

    def gradient_macs(self, operands: Shapes, outputs: Shapes, needed: tuple[bool, ...]) -> int:
        """MACs of the backward pass, `needed` saying which operands want a gradient.

        By default one forward's worth for each of the two factors of the product: the gradient of a
        convolution or matrix product by either factor multiplies as often as the product itself.
        """
        return self.arithmetic(operands, outputs).macs * sum(needed[:2])

    def bytes_read(self, operands: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> int:
        """Compulsory reads: every distinct operand once."""
        if self.is_view:
            return 0
        return sum({tensor.name: tensor.nbytes for tensor in operands}.values())

    def bytes_written(self, outputs: tuple[Tensor, ...]) -> int:
        """Compulsory writes: every output once."""
        return 0 if self.is_view else sum([tensor.nbytes for tensor in outputs])

    def passing_bytes(self, outputs: tuple[Tensor, ...]) -> int:
        """What one part of the op hands to its next, beside the outputs, once the inputs have been read."""
        return 0

    def masked_macs(self, operands: tuple[Tensor, ...]) -> int | None:
        """What is left of its MACs where products that a mask hides are skipped; None without a mask."""
        return None

    def cost(self, operands: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Cost:
        """The cost of one execution on these tensors."""
        macs, other_ops = self.arithmetic(
            tuple([tensor.shape for tensor in operands]), tuple([tensor.shape for tensor in outputs])
        )
        return Cost(
            macs=macs and macs * real_products(operands[:2]),
            other_ops=other_ops,
            bytes_read=self.bytes_read(operands, outputs),
            bytes_written=self.bytes_written(outputs),
        )

    def attributes(self) -> Mapping[str, Attribute]:
        """The op's own fields, by name, for reports."""
        # Every concrete op is a dataclass; an abstract base cannot say so to the type checker.
        fields = dataclasses.fields(self)  # type: ignore[arg-type]
        return {field.name: getattr(self, field.name) for field in fields}


def real_products(factors: tuple[Tensor, ...]) -> int:
    """Real multiplies in one product: two for each complex factor, `(a + bi)(c + di)` being four."""
    return math.prod([2 for factor in factors if factor.dtype.is_complex])


def positions(shape: Shape, features: int) -> Shape:
    """The axes before the last; raises `ShapeError` where the last does not hold `features` values."""
    if shape[-1:] != (features,):
        raise ShapeError(f"expected {features} input features, got {shape[-1] if shape else 'a single value'}")
    return shape[:-1]


def broadcast(shapes: Iterable[Shape]) -> Shape:
    """The common shape of operands under NumPy's rules, aligned at the last axis.

    >>> broadcast([(8, 1, 6), (7, 1)])
    (8, 7, 6)
    """
    result: list[int] = []
    for shape in shapes:
        result = [1] * (len(shape) - len(result)) + result
        offset = len(result) - len(shape)
        for axis, size in enumerate(shape, start=offset):
            if size != 1 and result[axis] not in (1, size):
                raise ShapeError(f"shapes do not broadcast: {size} against {result[axis]} in axis {axis}")
            if size != 1:
                result[axis] = size
    return tuple(result)
