"""Known values are what ONNX's reference implementation computes; what would be large is not computed."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from convcost.sources.onnx.attributes import Attributes
from convcost.sources.onnx.folding import FOLDS, MAX_ELEMENTS, fold, shape_values
from tests.sources.onnx.tiny import graph, ints, model, node

A, B = ints(-7, 7, 9), ints(2, -2, 4)
LOGICAL = np.array([True, False, True])

CASES = [
    *((name, [A, B], {}) for name in ("Add", "Sub", "Mul", "Div", "Mod", "Max", "Min")),
    *((name, [A, B], {}) for name in ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")),
    *((name, [A], {}) for name in ("Abs", "Neg", "Identity")),
    *((name, [A.astype(np.float32) / 4], {}) for name in ("Ceil", "Floor")),
    ("Sqrt", [np.array([4, 9], np.float32)], {}),
    ("And", [LOGICAL, LOGICAL[::-1].copy()], {}),
    ("Or", [LOGICAL, LOGICAL[::-1].copy()], {}),
    ("Not", [LOGICAL], {}),
    ("Where", [LOGICAL, A, B], {}),
    ("Cast", [A], {"to": TensorProto.FLOAT}),
    ("Concat", [A, B], {"axis": 0}),
    ("ConstantOfShape", [ints(2, 3)], {}),
    ("ConstantOfShape", [ints(2)], {"value": helper.make_tensor("v", TensorProto.INT64, [1], [5])}),
    ("Expand", [A, ints(2, 3)], {}),
    ("Gather", [A, ints(-1, 0)], {"axis": 0}),
    ("Range", [np.array(2), np.array(11), np.array(3)], {}),
    *((f"Reduce{name}", [A, ints(0)], {"keepdims": 0}) for name in ("Sum",)),
    *((f"Reduce{name}", [A, ints(0)], {"keepdims": 1}) for name in ("Max", "Min", "Prod")),
    ("Reshape", [ints(1, 2, 3, 4), ints(2, -1)], {}),
    ("Reshape", [ints(1, 2, 3, 4).reshape(2, 2), ints(0, 2)], {}),
    ("Slice", [A, ints(1), ints(2**62)], {}),
    ("Slice", [A, ints(-1), ints(-(2**62)), ints(0), ints(-1)], {}),
    ("Slice", [A, ints(2), ints(0), ints(0), ints(-1)], {}),
    ("Squeeze", [ints(5).reshape(1, 1), ints(0)], {}),
    ("Transpose", [ints(1, 2, 3, 4).reshape(2, 2)], {"perm": [1, 0]}),
    ("Unsqueeze", [A, ints(0, -1)], {}),
]


@pytest.mark.parametrize(("operator", "operands", "attributes"), CASES)
def test_known_values_are_the_references(operator: str, operands: list, attributes: dict) -> None:
    names = [f"x{position}" for position in range(len(operands))]
    item = node(operator, names, ["y"], **attributes)
    types = {name: helper.np_dtype_to_tensor_dtype(value.dtype) for name, value in zip(names, operands, strict=True)}
    whole = model(graph([item], dict.fromkeys(names), dtypes=types))
    (expected,) = ReferenceEvaluator(whole).run(None, dict(zip(names, operands, strict=True)))
    found = fold(operator, operands, Attributes(item))
    assert found is not None
    assert found.shape == np.shape(expected)
    assert np.array_equal(found, expected)


def test_every_fold_is_held_to_the_reference() -> None:
    assert FOLDS.keys() == {operator for operator, _, _ in CASES}


@pytest.mark.parametrize(
    ("operator", "operands"),
    [
        ("ConstantOfShape", [ints(1 << 40)]),
        ("Range", [np.array(0), np.array(1 << 60), np.array(1)]),
        ("Expand", [ints(1), ints(1 << 40)]),
        ("Add", [np.zeros((MAX_ELEMENTS, 1)), np.zeros((1, MAX_ELEMENTS))]),
        ("Reshape", [A, ints(2, 2)]),
        ("Range", [np.array(0), np.array(5), np.array(0)]),
        ("Gather", [A, ints(7)]),
        ("Add", [None, A]),
        ("Conv", [A, B]),
    ],
)
def test_what_is_large_wrong_or_unknown_is_not_computed(operator: str, operands: list) -> None:
    assert fold(operator, operands, Attributes(node(operator, ["x"], ["y"]))) is None


def test_shape_takes_a_part_where_asked() -> None:
    assert shape_values(node("Shape", ["x"], ["y"]), (2, 3, 4)).tolist() == [2, 3, 4]
    assert shape_values(node("Shape", ["x"], ["y"], start=1, end=-1), (2, 3, 4)).tolist() == [3]
    assert shape_values(node("Size", ["x"], ["y"]), (2, 3, 4)) == 24


@pytest.mark.parametrize("operator", ["Concat", "Max", "Min"])
def test_no_number_of_operands_takes_their_sum_of_memory(operator: str) -> None:
    item, list_ = node(operator, ["x"], ["y"], **({"axis": 0} if operator == "Concat" else {})), np.zeros(MAX_ELEMENTS)
    tracemalloc.start()
    try:
        fold(operator, [list_] * 1000, Attributes(item))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 100 * list_.nbytes


def test_an_operand_too_many_is_not_written_into() -> None:
    third = ints(5, 5)
    assert fold("Add", [ints(1, 1), ints(2, 2), third], Attributes(node("Add", ["a", "b", "c"], ["y"]))) is None
    assert third.tolist() == [5, 5]


def test_more_axes_than_a_tensor_may_have_are_not_looked_at() -> None:
    shape = np.ones(65, np.int64)
    slicing = node("Slice", ["x", "s", "e", "a"], ["y"])
    assert fold("Slice", [ints(1, 2), shape * 0, shape, shape * 0], Attributes(slicing)) is None
