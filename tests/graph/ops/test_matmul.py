from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convcost.errors import ShapeError
from convcost.graph.ops import Einsum, Linear, MatMul
from tests.oracle import Array, Multiplier, einsum, matmul

SIZES = st.integers(1, 4)


@st.composite
def matrix_pairs(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    batch = draw(st.lists(SIZES, max_size=2))
    thinned = [size if draw(st.booleans()) else 1 for size in batch]
    m, k, n = draw(SIZES), draw(SIZES), draw(SIZES)
    a, b = (*batch, m, k), (*thinned[draw(st.integers(0, len(batch))) :], k, n)
    return (a, b) if draw(st.booleans()) else ((*b[:-2], m, k), (*batch, k, n))


@given(matrix_pairs())
def test_every_multiplication_of_a_matrix_product_is_counted(pair: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    times = Multiplier()
    result = matmul(Array.counting(*pair[0]), Array.counting(*pair[1]), times)
    assert MatMul().output_shapes(pair) == (result.shape,)
    assert MatMul().arithmetic(pair, (result.shape,)) == (times.count, 0)


@given(matrix_pairs(), st.booleans(), st.booleans())
def test_transposed_operands_cost_what_straight_ones_do(
    pair: tuple[tuple[int, ...], tuple[int, ...]], transpose_a: bool, transpose_b: bool
) -> None:
    turned = MatMul(transpose_a=transpose_a, transpose_b=transpose_b)
    a, b = (
        (*shape[:-2], shape[-1], shape[-2]) if transpose else shape
        for shape, transpose in zip(pair, (transpose_a, transpose_b), strict=True)
    )
    outputs = MatMul().output_shapes(pair)
    assert turned.output_shapes((a, b)) == outputs
    assert turned.arithmetic((a, b), outputs) == MatMul().arithmetic(pair, outputs)


@pytest.mark.parametrize(
    ("a", "b"), [((3,), (3,)), ((3,), (3, 4)), ((2, 3), (3,)), ((3,), (5, 3, 4)), ((5, 2, 3), (3,)), ((2, 3), (3, 4))]
)
def test_vectors_multiply_as_in_torch(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    theirs = torch.empty(a, device="meta") @ torch.empty(b, device="meta")
    outputs = MatMul().output_shapes((a, b))
    assert outputs == (tuple(theirs.shape),)
    assert MatMul().arithmetic((a, b), outputs).macs == max(theirs.numel(), 1) * 3


def test_an_added_third_operand_is_other_ops() -> None:
    assert MatMul().arithmetic(((2, 3), (3, 4), (4,)), ((2, 4),)) == (24, 8)


def test_linear_counts_every_position_of_any_rank() -> None:
    op = Linear(in_features=32, out_features=16)
    assert op.output_shapes(((7, 32),)) == ((7, 16),)
    assert op.arithmetic(((7, 32), (16, 32)), ((7, 16),)) == (7 * 32 * 16, 0)
    assert op.arithmetic(((2, 5, 7, 32), (16, 32), (16,)), ((2, 5, 7, 16),)) == (70 * 32 * 16, 70 * 16)
    assert op.output_shapes(((32,),)) == ((16,),)
    assert op.arithmetic(((32,), (16, 32)), ((16,),)).macs == 32 * 16


EQUATIONS = [
    "ij,jk->ik",
    "bhid,bhjd->bhij",
    "bij,kj->bik",
    "ijk,kl->il",
    "ij,jk,kl->il",
    "ij,jk,kl,lm->im",
    "i,j->ij",
    "ij,ij->ij",
    "ij,ij->",
    "iij,jk->ik",
    "iij,jk->k",
    "ij,kj,lj->ikl",
    "bi,oij,bj->bo",
]


@given(st.sampled_from(EQUATIONS), st.data())
def test_every_multiplication_of_an_einsum_is_counted(equation: str, data: st.DataObject) -> None:
    inputs, _, result = equation.partition("->")
    terms = inputs.split(",")
    sizes = {index: data.draw(st.integers(1, 3)) for index in sorted(set(inputs) - {","})}
    shapes = tuple(tuple(sizes[index] for index in term) for term in terms)
    times = Multiplier()
    computed = einsum(terms, result, [Array.counting(*shape) for shape in shapes], times)
    op = Einsum(equation=equation)
    assert op.output_shapes(shapes) == (computed.shape,)
    assert op.arithmetic(shapes, (computed.shape,)).macs == times.count


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("...ij,...jk->...ik", [(5, 2, 3), (5, 3, 4)]),
        ("...ij,jk->...ik", [(6, 5, 2, 3), (3, 4)]),
        ("...ij,...jk", [(1, 2, 3), (5, 3, 4)]),
        ("b...,...b->b...", [(2, 3, 4), (3, 4, 2)]),
        ("ij,jk", [(2, 3), (3, 4)]),
        ("ba,ac", [(2, 3), (3, 4)]),
        ("Ab, bC", [(2, 3), (3, 4)]),
        ("ii", [(3, 3)]),
        ("ii->i", [(3, 3)]),
        ("...->...", [tuple(range(1, 13))]),
    ],
)
def test_einsum_shapes_are_torchs(equation: str, shapes: list[tuple[int, ...]]) -> None:
    theirs = torch.einsum(equation, *(torch.empty(shape, device="meta") for shape in shapes))
    assert Einsum(equation=equation).output_shapes(tuple(shapes)) == (tuple(theirs.shape),)


@given(SIZES, SIZES, SIZES, SIZES)
def test_einsum_of_two_matrices_costs_the_matrix_product(b: int, i: int, j: int, k: int) -> None:
    shapes = ((b, i, j), (b, j, k))
    outputs = MatMul().output_shapes(shapes)
    assert Einsum(equation="bij,bjk->bik").arithmetic(shapes, outputs) == MatMul().arithmetic(shapes, outputs)


@pytest.mark.parametrize(
    ("equation", "shapes", "expected"),
    [
        ("i,j->ij", [(3,), (4,)], 12),  # an outer product sums nothing away
        ("ij->i", [(3, 4)], 12),  # a sum over one operand
        ("ij->ji", [(3, 4)], 0),  # a transposition
        ("ijx,jk->ik", [(2, 3, 5), (3, 4)], 30),  # x is summed before the product
        ("iix,ij->j", [(3, 3, 5), (3, 4)], 15),  # a diagonal is read, not the whole square
    ],
)
def test_einsum_work_that_contracts_nothing_is_other_ops(
    equation: str, shapes: list[tuple[int, ...]], expected: int
) -> None:
    op = Einsum(equation=equation)
    assert op.arithmetic(tuple(shapes), op.output_shapes(tuple(shapes))).other_ops == expected


@pytest.mark.parametrize(
    ("op", "shapes", "message"),
    [
        (MatMul(), ((2, 3), (4, 5)), "inner sizes of a matrix product differ: 3 and 4"),
        (MatMul(), ((), (4, 5)), "at least one dimension"),
        (MatMul(), ((2, 2, 3), (3, 3, 5)), "do not broadcast"),
        (Linear(in_features=3, out_features=2), ((5, 4),), "expected 3 input features, got 4"),
        (Linear(in_features=3, out_features=2), ((),), "expected 3 input features"),
        (Einsum(equation="ij,jk->ik"), ((2, 3),), "names 2 operands, got 1"),
        (Einsum(equation="ij,jk->ik"), ((2, 3), (4, 5)), "index 'j' is both 3 and 4"),
        (Einsum(equation="ij->i"), ((2, 3, 4),), "does not fit"),
        (Einsum(equation="i...j->i"), ((2,),), "does not fit"),
        (Einsum(equation="ij->ik"), ((2, 3),), "'k'"),
    ],
)
def test_operands_that_do_not_fit_are_refused(
    op: MatMul | Linear | Einsum, shapes: tuple[tuple[int, ...], ...], message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        op.output_shapes(shapes)


@given(matrix_pairs(), st.integers(2, 4))
def test_matrix_products_are_linear_in_a_leading_batch(
    pair: tuple[tuple[int, ...], tuple[int, ...]], batch: int
) -> None:
    once = MatMul().arithmetic(pair, MatMul().output_shapes(pair)).macs
    rank = max(map(len, pair))
    wide = ((batch, *(1,) * (rank - len(pair[0])), *pair[0]), pair[1])
    (output,) = MatMul().output_shapes(wide)
    assert MatMul().arithmetic(wide, (output,)).macs == batch * once
    assert math.prod(output) == batch * math.prod(MatMul().output_shapes(pair)[0])
