"""Contractions: matrix products, linear layers and Einstein sums."""

from __future__ import annotations

import math
from typing import ClassVar

from convcost.dataclasses import dataclass
from convcost.errors import ShapeError
from convcost.graph.ops.base import Arithmetic, Op, Shapes, broadcast, positions
from convcost.graph.tensor import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear(Op):
    """`(*, in_features)` times weights to `(*, out_features)`, optionally biased."""

    in_features: int
    out_features: int

    family: ClassVar[str] = "linear"
    formula: ClassVar[str] = "positions * in_features * out_features; bias adds are other ops"
    reference: ClassVar[str] = "docs/conventions.md: one MAC per product of a linear contraction"

    def output_shapes(self, operands: Shapes) -> Shapes:
        return ((*positions(operands[0], self.in_features), self.out_features),)

    def arithmetic(self, operands: Shapes, outputs: Shapes) -> Arithmetic:
        values = math.prod(outputs[0])
        return Arithmetic(values * self.in_features, values if len(operands) > 2 else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatMul(Op):
    """A product under NumPy's `matmul` rules (1-D operands, batch broadcasting), plus any added third operand."""

    transpose_a: bool = False
    transpose_b: bool = False

    family: ClassVar[str] = "matmul"
    formula: ClassVar[str] = "batch * m * k * n; an added third operand is other ops"
    reference: ClassVar[str] = "docs/conventions.md: one MAC per product of a matrix contraction"

    def output_shapes(self, operands: Shapes) -> Shapes:
        a, b = self._matrices(operands)
        if a[-1] != b[-2]:
            raise ShapeError(f"inner sizes of a matrix product differ: {a[-1]} and {b[-2]}")
        rows = a[-2:-1] if len(operands[0]) > 1 else ()
        columns = b[-1:] if len(operands[1]) > 1 else ()
        return ((*broadcast([a[:-2], b[:-2]]), *rows, *columns),)

    def arithmetic(self, operands: Shapes, outputs: Shapes) -> Arithmetic:
        inner = self._matrices(operands)[0][-1]
        values = math.prod(outputs[0])
        return Arithmetic(values * inner, values if len(operands) > 2 else 0)

    def _matrices(self, operands: Shapes) -> tuple[Shape, Shape]:
        a, b = operands[:2]
        if not a or not b:
            raise ShapeError("a matrix product takes operands of at least one dimension")
        left = (1, *a) if len(a) == 1 else a
        right = (*b, 1) if len(b) == 1 else b
        if self.transpose_a:
            left = (*left[:-2], left[-1], left[-2])
        if self.transpose_b:
            right = (*right[:-2], right[-1], right[-2])
        return left, right


@dataclass(frozen=True, slots=True, kw_only=True)
class Einsum(Op):
    """An Einstein sum in NumPy's notation, contracted pair by pair from the left."""

    equation: str

    family: ClassVar[str] = "einsum"
    formula: ClassVar[str] = (
        "for every pair, from the left: the product of the sizes of all its indices; other ops: sums over "
        "indices of one operand alone, and products that sum nothing away"
    )
    reference: ClassVar[str] = "numpy.einsum without path optimisation; docs/conventions.md: contractions are MACs"

    def output_shapes(self, operands: Shapes) -> Shapes:
        terms, result = self._terms(operands)
        sizes = _index_sizes(terms, operands)
        if strangers := set(result) - sizes.keys():
            raise ShapeError(f"einsum '{self.equation}' has no operand with index '{min(strangers)}'")
        return (tuple(sizes[index] for index in result),)

    def arithmetic(self, operands: Shapes, outputs: Shapes) -> Arithmetic:
        steps = self._steps(operands)
        return Arithmetic(sum(step.macs for step in steps), sum(step.other_ops for step in steps))

    def gradient_macs(self, operands: Shapes, outputs: Shapes, needed: tuple[bool, ...]) -> int:
        """Of every pair, the gradient by what stands left (any operand so far) and by the operand on the right."""
        steps = self._steps(operands)
        return sum(
            step.macs * (any(needed[: position + 1]) + needed[position + 1])
            for position, step in enumerate(steps)
            if step.macs
        )

    def _steps(self, operands: Shapes) -> list[Arithmetic]:
        """The work of joining each further operand to what the ones before it gave."""
        terms, result = self._terms(operands)
        sizes = _index_sizes(terms, operands)
        left = terms[0]
        if len(terms) == 1:
            reduced = math.prod(sizes[index] for index in set(left))
            return [Arithmetic(0, reduced if set(left) - set(result) else 0)]
        steps = []
        for position, right in enumerate(terms[1:], start=1):
            needed_later = {index for term in terms[position + 1 :] for index in term} | set(result)
            macs = other_ops = 0
            for term, other in ((left, right), (right, left)):
                if set(term) - set(other) - needed_later:
                    # An index of one operand alone is summed away before the product.
                    other_ops += math.prod(sizes[index] for index in set(term))
            indices = [i for i in dict.fromkeys(left + right) if i in needed_later or (i in left and i in right)]
            products = math.prod(sizes[index] for index in indices)
            kept = [index for index in indices if index in needed_later]
            if len(kept) < len(indices):
                macs = products
            else:
                other_ops += products
            steps.append(Arithmetic(macs, other_ops))
            left = kept
        return steps

    def _terms(self, operands: Shapes) -> tuple[list[list[str]], list[str]]:
        """Index names per operand and of the result, an ellipsis spelled out as `...0`, `...1` from the right."""
        inputs, arrow, output = self.equation.replace(" ", "").partition("->")
        texts = inputs.split(",")
        if len(texts) != len(operands):
            raise ShapeError(f"einsum '{self.equation}' names {len(texts)} operands, got {len(operands)}")
        terms = [_spell(text, len(shape)) for text, shape in zip(texts, operands, strict=True)]
        for term, shape in zip(terms, operands, strict=True):
            if len(term) != len(shape):
                raise ShapeError(f"einsum '{self.equation}' does not fit an operand of shape {list(shape)}")
        names = [index for term in terms for index in term]
        hidden = sorted({index for index in names if index.startswith("...")}, key=_from_right, reverse=True)
        if not arrow:
            return terms, hidden + sorted(i for i in set(names) if names.count(i) == 1 and not i.startswith("..."))
        before, ellipsis, after = output.partition("...")
        return terms, [*before, *(hidden if ellipsis else []), *after]


def _spell(term: str, rank: int) -> list[str]:
    before, ellipsis, after = term.partition("...")
    hidden = rank - len(before) - len(after) if ellipsis else 0
    return [*before, *(f"...{axis}" for axis in reversed(range(hidden))), *after]


def _from_right(hidden: str) -> int:
    return int(hidden.removeprefix("..."))


def _index_sizes(terms: list[list[str]], operands: Shapes) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, operands, strict=True):
        for index, size in zip(term, shape, strict=True):
            if sizes.setdefault(index, size) == 1:
                sizes[index] = size
            elif size not in (1, sizes[index]):
                raise ShapeError(f"einsum index '{index}' is both {sizes[index]} and {size}")
    return sizes
