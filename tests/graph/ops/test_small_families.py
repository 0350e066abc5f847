"""Ops that multiply nothing: their shapes, their other ops, their bytes."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convcost.errors import ShapeError
from convcost.graph import DType, Tensor, Weight
from convcost.graph.ops import (
    ALL_OPS,
    Activation,
    Elementwise,
    Gather,
    Interpolation,
    Move,
    Normalize,
    NormMethod,
    Op,
    Reduce,
    Resample,
    Softmax,
    Unknown,
    broadcast,
)

SHAPES = st.lists(st.integers(1, 4), max_size=4).map(tuple)


@pytest.mark.parametrize(
    ("method", "per_element"),
    [
        ("batch", 2),
        ("layer", 7),
        ("group", 7),
        ("instance", 7),
        ("rms", 4),
        ("lp", 3),
        ("local_response", 4),
    ],
)
def test_normalisation_costs_a_fixed_number_of_ops_per_element(method: NormMethod, per_element: int) -> None:
    op = Normalize(method=method)
    assert op.output_shapes(((2, 8, 5, 5),)) == ((2, 8, 5, 5),)
    assert op.arithmetic(((2, 8, 5, 5),), ((2, 8, 5, 5),)) == (0, 2 * 8 * 25 * per_element)


def test_softmax_costs_five_ops_per_element() -> None:
    assert Softmax().arithmetic(((4, 10, 10),), ((4, 10, 10),)) == (0, 2000)


def test_an_activation_costs_one_op_per_element_whatever_the_function() -> None:
    for function in ("relu", "gelu"):
        assert Activation(function=function).arithmetic(((3, 7),), ((3, 7),)) == (0, 21)


@given(SHAPES, SHAPES)
def test_elementwise_shapes_broadcast_as_in_torch(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    op = Elementwise(function="add")
    try:
        theirs = tuple(torch.broadcast_shapes(a, b))
    except RuntimeError:
        with pytest.raises(ShapeError, match="do not broadcast"):
            op.output_shapes((a, b))
    else:
        assert op.output_shapes((a, b)) == (theirs,)
        assert op.arithmetic((a, b), (theirs,)) == (0, math.prod(theirs))


def test_an_elementwise_op_of_several_operations_counts_each() -> None:
    assert Elementwise(function="addcmul", operations=2).arithmetic(((3, 4),) * 3, ((3, 4),)).other_ops == 24


def test_broadcasting_nothing_gives_a_scalar() -> None:
    assert broadcast([]) == ()
    assert broadcast([(0, 1), (1, 3)]) == (0, 3)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.data(), st.booleans())
def test_reduction_shapes_are_torchs(shape: list[int], data: st.DataObject, keepdims: bool) -> None:
    axes = tuple(data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1)))
    signed = tuple(axis - len(shape) if data.draw(st.booleans()) else axis for axis in axes)
    theirs = torch.empty(shape, device="meta").sum(signed, keepdim=keepdims)
    op = Reduce(function="sum", axes=signed, keepdims=keepdims)
    assert op.output_shapes((tuple(shape),)) == (tuple(theirs.shape),)
    assert op.arithmetic((tuple(shape),), (tuple(theirs.shape),)) == (0, math.prod(shape))


def test_a_reduction_without_axes_is_along_all() -> None:
    assert Reduce(function="mean").output_shapes(((2, 3),)) == ((),)
    assert Reduce(function="mean", keepdims=True).output_shapes(((2, 3),)) == ((1, 1),)


@pytest.mark.parametrize(
    ("interpolation", "size", "per_output"),
    [
        ("nearest", (10, 10), 0),
        ("linear", (10,), 3),  # two taps, one addition
        ("linear", (10, 10), 7),
        ("cubic", (10, 10), 31),
    ],
)
def test_interpolation_is_a_weighted_sum_of_neighbours(
    interpolation: Interpolation, size: tuple[int, ...], per_output: int
) -> None:
    op = Resample(interpolation=interpolation, output_size=size)
    data = (2, 3, *(5 for _ in size))
    (output,) = op.output_shapes((data,))
    mode = {("nearest", 2): "nearest", ("linear", 1): "linear", ("linear", 2): "bilinear", ("cubic", 2): "bicubic"}
    theirs = torch.nn.functional.interpolate(
        torch.empty(data, device="meta"), size=size, mode=mode[interpolation, len(size)]
    )
    assert output == tuple(theirs.shape)
    assert op.arithmetic((data,), (output,)) == (0, math.prod(output) * per_output)


@pytest.mark.parametrize(
    ("op", "shapes"),
    [
        (Reduce(function="sum", axes=(2,)), ((3, 4),)),
        (Resample(interpolation="nearest", output_size=(2, 2)), ((3,),)),
        (Gather(axis=2), ((3, 4), (5,))),
        (Gather(axis=-3), ((3, 4), (5,))),
    ],
)
def test_axes_outside_the_operand_are_refused(op: Op, shapes: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(ShapeError):
        op.output_shapes(shapes)


def test_a_lookup_reads_the_picked_rows_and_not_the_table() -> None:
    table = Tensor.of(Weight(name="embedding.weight", shape=(50_000, 64)))
    tokens = Tensor(name="tokens", shape=(1, 10), dtype=DType.INT64)
    op = Gather()
    (shape,) = op.output_shapes((table.shape, tokens.shape))
    assert shape == (1, 10, 64)
    cost = op.cost((table, tokens), (Tensor(name="rows", shape=shape),))
    assert (cost.macs, cost.other_ops) == (0, 0)
    assert (cost.bytes_read, cost.bytes_written) == (10 * 8 + 10 * 64 * 4, 10 * 64 * 4)


def test_gather_along_a_later_axis_keeps_the_axes_around_it() -> None:
    assert Gather(axis=1).output_shapes(((4, 9, 5), (2, 3))) == ((4, 2, 3, 5),)


def test_a_view_moves_no_byte_and_a_copy_moves_all_of_them() -> None:
    data, moved = Tensor(name="x", shape=(2, 3)), Tensor(name="y", shape=(3, 2))
    for view, moves in ((True, 0), (False, 24)):
        cost = Move(action="transpose", shapes=((3, 2),), view=view).cost((data,), (moved,))
        assert (cost.bytes_read, cost.bytes_written, cost.flops) == (moves, moves, 0)


def test_an_operand_used_twice_is_read_once() -> None:
    x = Tensor(name="x", shape=(8,))
    cost = Elementwise(function="mul").cost((x, x), (Tensor(name="y", shape=(8,)),))
    assert (cost.bytes_read, cost.bytes_written) == (32, 32)


def test_an_unknown_op_costs_no_arithmetic_and_says_why() -> None:
    op = Unknown(operator="my::op", reason="no lowering", shapes=((2, 2),))
    assert op.output_shapes(((5,),)) == ((2, 2),)
    assert op.arithmetic(((5,),), ((2, 2),)) == (0, 0)
    assert op.attributes() == {"operator": "my::op", "reason": "no lowering"}


@pytest.mark.parametrize("op", ALL_OPS)
def test_every_op_says_its_family_formula_and_source(op: type[Op]) -> None:
    assert op.family
    assert op.formula
    assert op.reference
    assert op.__doc__


def test_families_are_told_apart() -> None:
    families = [op.family for op in ALL_OPS]
    assert len(families) == len(set(families))
