from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convcost.errors import ShapeError
from convcost.graph.ops import Attention
from tests.oracle import Array, Multiplier, attention

SIZES = st.integers(1, 4)


@given(SIZES, SIZES, st.integers(1, 2), SIZES, SIZES, SIZES, SIZES)
def test_both_products_of_attention_are_counted_by_query_heads(
    batch: int, key_heads: int, sharing: int, length: int, keys: int, features: int, value_features: int
) -> None:
    heads = key_heads * sharing
    shapes = (
        (batch, heads, length, features),
        (batch, key_heads, keys, features),
        (batch, key_heads, keys, value_features),
    )
    times = Multiplier()
    output = attention(*(Array.counting(*shape) for shape in shapes), times)
    assert Attention().output_shapes(shapes) == (output.shape,)
    assert Attention().arithmetic(shapes, (output.shape,)).macs == times.count


@given(SIZES, SIZES, SIZES, st.integers(1, 6), st.integers(1, 6))
def test_the_causal_count_is_of_the_products_a_mask_leaves(
    batch: int, heads: int, features: int, length: int, keys: int
) -> None:
    shapes = ((batch, heads, length, features), (batch, heads, keys, features), (batch, heads, keys, features))
    times = Multiplier()
    sees = torch.ones(length, keys).tril().bool().tolist()
    attention(*(Array.counting(*shape) for shape in shapes), times, sees=sees)
    op = Attention(causal=True)
    assert op.causal_macs(shapes) == times.count
    assert op.arithmetic(shapes, op.output_shapes(shapes)) == Attention().arithmetic(shapes, op.output_shapes(shapes))


def test_other_ops_are_a_scale_a_softmax_and_each_mask() -> None:
    shapes = ((2, 4, 10, 16), (2, 4, 14, 16), (2, 4, 14, 16))
    outputs = Attention().output_shapes(shapes)
    scores = 2 * 4 * 10 * 14
    assert Attention().arithmetic(shapes, outputs).other_ops == scores * (1 + 5)
    assert Attention().arithmetic((*shapes, (10, 14)), outputs).other_ops == scores * (1 + 5 + 1)


def test_shapes_are_torchs() -> None:
    shapes = ((2, 4, 10, 16), (2, 4, 14, 16), (2, 4, 14, 8))
    theirs = torch.nn.functional.scaled_dot_product_attention(*(torch.empty(s, device="meta") for s in shapes))
    assert Attention().output_shapes(shapes) == (tuple(theirs.shape),)


@pytest.mark.parametrize(
    "shapes",
    [
        ((1, 1, 3, 4), (1, 1, 3, 5), (1, 1, 3, 4)),
        ((1, 1, 3, 4), (1, 1, 3, 4), (1, 1, 2, 4)),
        ((4,), (4,), (4,)),
    ],
)
def test_operands_that_do_not_fit_are_refused(shapes: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(ShapeError, match="do not fit"):
        Attention().output_shapes(shapes)
