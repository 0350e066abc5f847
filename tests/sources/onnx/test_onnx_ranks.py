"""Chains of nodes that add axes are kept from onnx before there are too many; what networks have is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
import pytest
from onnx import GraphProto, NodeProto, helper, shape_inference

from convcost.sources.onnx.ranks import beyond_bounds
from tests.sources.onnx.tiny import graph, ints, load, node

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"

GROWING: Sequence[tuple[str, Sequence[str], Mapping[str, object]]] = [
    ("Gather", ["@", "@"], {}),
    ("Gather", ["x", "@"], {}),
    ("OneHot", ["@", "one", "two"], {}),
    ("OneHotEncoder", ["@"], {"cats_int64s": [1]}),
    ("StringSplit", ["@"], {}),
    ("ConcatFromSequence", ["@"], {"axis": 0, "new_axis": 1}),
    ("Unsqueeze", ["@", "one"], {}),
    ("Unsqueeze", ["@"], {"axes": [0]}),
    ("Unsqueeze", ["@", "made"], {}),
    ("Col2Im", ["@", "two", "two"], {}),
    ("Einsum", ["@"], {"equation": "...->...i"}),
    ("Einsum", ["@", "@"], {"equation": "... i, ... -> i ... j k"}),
]
LISTED: Sequence[tuple[str, Sequence[str], Mapping[str, object]]] = [
    ("Reshape", ["@", "long"], {}),
    ("Reshape", ["@"], {"shape": [1] * 65}),
    ("Expand", ["@", "long"], {}),
    ("ConstantOfShape", ["long"], {}),
    ("RandomNormal", [], {"shape": [1] * 65}),
    ("RandomUniform", [], {"shape": [1] * 65}),
    ("Einsum", ["x"], {"equation": "i->" + "i" * 65}),
    ("Optional", [], {"type": helper.make_optional_type_proto(helper.make_tensor_type_proto(1, [1] * 65))}),
]


def chain(operator: str, inputs: Sequence[str], length: int, **attributes: object) -> GraphProto:
    """Each node reads the result of the one before at `@`, and `x` at first."""
    made = node("Constant", [], ["made"], value_ints=[0])
    nodes = [
        node(operator, [name.replace("@", f"t{at - 1}" if at else "x") for name in inputs], [f"t{at}"], **attributes)
        for at in range(length)
    ]
    lists = {"one": ints(0), "two": ints(0, 1), "long": ints(*[1] * 65)}
    return graph([made, *nodes], {"x": [1, 2]}, lists)


def hidden(whole: GraphProto) -> list[NodeProto]:
    return list(beyond_bounds(whole))


@pytest.mark.parametrize(("operator", "inputs", "attributes"), GROWING)
def test_a_chain_of_growing_values_ends(operator: str, inputs: Sequence[str], attributes: Mapping[str, object]) -> None:
    assert not hidden(chain(operator, inputs, 5, **attributes))
    assert hidden(chain(operator, inputs, 70, **attributes))


@pytest.mark.parametrize(("operator", "inputs", "attributes"), LISTED)
def test_a_list_makes_no_more_axes_than_a_tensor_may_have(
    operator: str, inputs: Sequence[str], attributes: Mapping[str, object]
) -> None:
    assert [each.op_type for each in hidden(chain(operator, inputs, 1, **attributes))] == [operator]


def test_what_the_file_states_counts() -> None:
    assert len(hidden(graph([node("Relu", ["x"], ["y"])], {"x": [1] * 65}))) == 1
    sequence = graph([node("SequenceAt", ["x", "one"], ["y"])], {"x": [1]}, {"one": ints(0)})
    kind = helper.make_sequence_type_proto(helper.make_tensor_type_proto(1, [1] * 65))
    sequence.input[0].type.CopyFrom(kind)
    assert len(hidden(sequence)) == 1


@pytest.mark.parametrize("text", ["dim_param", "denotation"])
def test_axes_of_long_names_are_not_handed_on(text: str) -> None:
    whole = graph([node("Relu", ["x"], ["y"]), node("Relu", ["y"], ["z"])], {"x": [1]})
    setattr(whole.input[0].type.tensor_type.shape.dim[0], text, "n" * 100)
    assert not hidden(whole)
    setattr(whole.input[0].type.tensor_type.shape.dim[0], text, "n" * 5000)
    assert [each.output[0] for each in hidden(whole)] == ["y"]


def test_what_is_hidden_hides_nothing_after_it() -> None:
    lists = {"long": ints(*[1] * 65)}
    nodes = [node("Expand", ["x", "long"], ["t"]), node("Relu", ["t"], ["y"]), node("Shape", ["t"], ["s"])]
    assert [each.op_type for each in hidden(graph(nodes, {"x": [1]}, lists))] == ["Expand"]


def looped(count: int, body: Sequence[NodeProto], carried: int = 1) -> GraphProto:
    """Loops after each other; the last value of `body` is stacked where it is not what is carried."""
    results = [each.output[0] for each in body][-carried:]
    inner = helper.make_graph(
        list(body),
        "body",
        [helper.make_empty_tensor_value_info(name) for name in ("i", "c", "s")],
        [helper.make_empty_tensor_value_info(name) for name in ("c", *results)],
    )
    nodes = [
        node("Loop", ["", "", f"r{at - 1}" if at else "x"], [f"r{at}", f"z{at}"][:carried], body=inner)
        for at in range(count)
    ]
    return graph(nodes, {"x": [1, 2]})


def test_bodies_are_looked_into() -> None:
    doubling = [node("Gather", ["s" if not at else f"t{at - 1}"] * 2, [f"t{at}"]) for at in range(10)]
    assert {each.op_type for each in hidden(looped(1, doubling))} == {"Gather"}


def test_loops_after_each_other_stack_what_they_do_not_carry() -> None:
    assert not hidden(looped(100, [node("Relu", ["s"], ["t"])]))
    assert hidden(looped(100, [node("Relu", ["s"], ["t"]), node("Relu", ["t"], ["u"])], carried=2))


@pytest.mark.parametrize("path", sorted(LIGHT.glob("*.onnx")), ids=lambda path: path.stem)
def test_nothing_of_a_network_is_hidden(path: Path) -> None:
    assert not hidden(onnx.load(str(path)).graph)


def test_a_model_that_onnx_cannot_give_back_is_not_taken_for_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shape_inference, "infer_shapes", lambda model: type(model)())
    found = load(looped(1, [node("Relu", ["s"], ["t"])]), tmp_path)
    assert found.nodes
    assert "with its shapes it is too large" in found.notes[0]
