"""Which shapes a model is read at, and what is said when they are not settled."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx import GraphProto, TensorProto, helper

from convcost.errors import SourceError
from convcost.graph import DType
from convcost.sources import InputSpec
from tests.sources.onnx.tiny import graph, load, node, ones

CONV = node("Conv", ["x", "w"], ["y"])
WEIGHT = {"w": ones(4, 3, 3, 3)}


def test_a_lone_open_batch_axis_is_one_and_said(tmp_path: Path) -> None:
    loaded = load(graph([CONV], {"x": ["N", 3, 8, 8]}, WEIGHT), tmp_path)
    assert loaded.inputs[0].shape == (1, 3, 8, 8)
    assert any("'N'" in note and "--dim N=" in note for note in loaded.notes)


def test_an_open_batch_without_a_name_is_one_too(tmp_path: Path) -> None:
    loaded = load(graph([CONV], {"x": [None, 3, 8, 8]}, WEIGHT), tmp_path)
    assert loaded.inputs[0].shape == (1, 3, 8, 8)
    assert any("--input x=Nx3x8x8" in note for note in loaded.notes)


def test_one_batch_name_may_lead_several_inputs(tmp_path: Path) -> None:
    loaded = load(graph([node("Add", ["a", "b"], ["y"])], {"a": ["N", 3], "b": ["N", 3]}), tmp_path)
    assert [tensor.shape for tensor in loaded.inputs] == [(1, 3), (1, 3)]


def test_dims_are_set_by_name_wherever_they_stand(tmp_path: Path) -> None:
    loaded = load(graph([CONV], {"x": ["N", 3, "side", "side"]}, WEIGHT), tmp_path, dims={"N": 2, "side": 10})
    assert loaded.inputs[0].shape == (2, 3, 10, 10)
    assert loaded.outputs[0].shape == (2, 4, 8, 8)
    assert loaded.notes == ()


def test_open_axes_are_named_with_the_flags_that_settle_them(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as raised:
        load(graph([CONV], {"x": ["N", 3, "height", None]}, WEIGHT), tmp_path)
    assert "x (Nx3xheightx?" in raised.value.message
    assert "--dim N=VALUE --dim height=VALUE --input x=Nx3xheightx?" in (raised.value.hint or "")


def test_an_unknown_dimension_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="'M'") as raised:
        load(graph([CONV], {"x": ["N", 3, 8, 8]}, WEIGHT), tmp_path, dims={"M": 2})
    assert "N" in (raised.value.hint or "")


def test_a_dimension_that_an_input_has_fixed_is_not_called_unknown(tmp_path: Path) -> None:
    content = graph([CONV], {"x": ["N", 3, "side", "side"]}, WEIGHT)
    fixed = (InputSpec(shape=(2, 3, 8, 8)),)
    with pytest.raises(SourceError, match="'side' is 8 by --input x, and 9 by --dim"):
        load(content, tmp_path, inputs=fixed, dims={"side": 9})
    assert load(content, tmp_path, inputs=fixed, dims={"side": 8, "N": 2}).inputs[0].shape == (2, 3, 8, 8)
    with pytest.raises(SourceError, match="no input has a dimension named 'M'") as raised:
        load(content, tmp_path, inputs=fixed, dims={"M": 2})
    assert raised.value.hint == "its symbolic dimensions: N, side"


def test_a_dimension_of_two_sizes_has_none_for_an_input_that_was_not_given(tmp_path: Path) -> None:
    sums = [node("ReduceSum", [name], [f"{name}s"], keepdims=0) for name in "abc"]
    nodes = [*sums, node("Sum", ["as", "bs", "cs"], ["y"])]
    content = graph(nodes, {name: ["N", 3] for name in "abc"})
    specs = (InputSpec(name="a", shape=(2, 3)), InputSpec(name="b", shape=(4, 3)))
    with pytest.raises(SourceError, match="'N' is 2 by --input a, and 4 by --input b") as raised:
        load(content, tmp_path, inputs=specs)
    assert raised.value.hint == "give every input that has it a shape of its own"
    loaded = load(content, tmp_path, inputs=(*specs, InputSpec(name="c", shape=(6, 3))))
    assert [tensor.shape[0] for tensor in loaded.inputs] == [2, 4, 6]


def test_shapes_are_given_by_name_or_in_order(tmp_path: Path) -> None:
    content = graph([node("MatMul", ["a", "b"], ["y"])], {"a": [2, 3], "b": [3, 4]})
    named = (InputSpec(name="b", shape=(7, 5)), InputSpec(shape=(6, 7), dtype=DType.FLOAT16))
    loaded = load(content, tmp_path, inputs=named)
    assert [(tensor.shape, tensor.dtype) for tensor in loaded.inputs] == [
        ((6, 7), DType.FLOAT16),
        ((7, 5), DType.FLOAT32),
    ]
    assert loaded.outputs[0].shape == (6, 5)


def test_new_shapes_replace_what_the_file_says_of_later_values(tmp_path: Path) -> None:
    content = graph([CONV, node("Relu", ["y"], ["z"])], {"x": [1, 3, 8, 8]}, WEIGHT)
    content.value_info.append(helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 6, 6]))
    content.output[0].CopyFrom(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 4, 6, 6]))
    loaded = load(content, tmp_path, inputs=(InputSpec(shape=(2, 3, 20, 20)),))
    assert loaded.outputs[0].shape == (2, 4, 18, 18)


def test_an_unknown_input_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no input 'image'") as raised:
        load(graph([CONV], {"x": [1, 3, 8, 8]}, WEIGHT), tmp_path, inputs=(InputSpec(name="image", shape=(1,)),))
    assert "x (1x3x8x8 float32)" in (raised.value.hint or "")


def test_more_shapes_than_inputs_and_a_wrong_rank_are_refused(tmp_path: Path) -> None:
    content = graph([CONV], {"x": [1, 3, 8, 8]}, WEIGHT)
    with pytest.raises(SourceError, match="more inputs"):
        load(content, tmp_path, inputs=(InputSpec(shape=(1, 3, 8, 8)), InputSpec(shape=(1,))))
    with pytest.raises(SourceError, match="4 dimensions"):
        load(content, tmp_path, inputs=(InputSpec(shape=(3, 8, 8)),))


def test_stored_tensors_that_are_listed_as_inputs_are_weights(tmp_path: Path) -> None:
    loaded = load(graph([CONV], {"x": [1, 3, 8, 8], "w": [4, 3, 3, 3]}, WEIGHT), tmp_path)
    assert [tensor.name for tensor in loaded.inputs] == ["x"]
    assert [weight.name for weight in loaded.weights] == ["w"]


def test_a_kernel_that_does_not_fit_is_an_error_with_its_node(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"Conv.*larger than the padded input"):
        load(graph([CONV], {"x": [1, 3, 2, 2]}, WEIGHT), tmp_path)


def test_groups_that_do_not_divide_are_an_error(tmp_path: Path) -> None:
    grouped = node("Conv", ["x", "w"], ["y"], group=3)
    with pytest.raises(SourceError, match="does not divide"):
        load(graph([grouped], {"x": [1, 3, 8, 8]}, {"w": ones(4, 1, 3, 3)}), tmp_path)


@pytest.mark.parametrize(
    ("operator", "groups", "weight", "taken"),
    [("Conv", 1, (4, 3, 3, 3), 3), ("Conv", 2, (4, 3, 3, 3), 6), ("ConvTranspose", 1, (3, 4, 3, 3), 3)],
)
def test_channels_that_the_weights_do_not_take_are_an_error(
    tmp_path: Path, operator: str, groups: int, weight: tuple[int, ...], taken: int
) -> None:
    """onnx infers a shape all the same."""
    content = graph([node(operator, ["x", "w"], ["y"], group=groups)], {"x": [1, taken, 8, 8]}, {"w": ones(*weight)})
    assert load(content, tmp_path).nodes
    with pytest.raises(SourceError, match=f"expected {taken} input channels, got 4") as raised:
        load(content, tmp_path, inputs=(InputSpec(shape=(1, 4, 8, 8)),))
    assert "--input" in (raised.value.hint or "")


def test_an_input_without_a_name_has_the_shape_it_states_and_an_output_left_out_has_none(tmp_path: Path) -> None:
    nodes = [node("LSTM", ["x", "w", "r"], ["", "h"], hidden_size=4)]
    weights = {"w": ones(1, 16, 3), "r": ones(1, 16, 4)}
    read = load(graph(nodes, {"x": [5, 2, 3], "": [7]}, weights), tmp_path)
    assert [tensor.shape for tensor in read.inputs] == [(5, 2, 3), (7,)]
    assert [tensor.shape for tensor in read.nodes[0].outputs] == [(1, 2, 4)]


def test_a_size_that_one_input_is_given_holds_for_others_of_that_name(tmp_path: Path) -> None:
    content = graph([node("Add", ["a", "b"], ["y"])], {"a": ["N", "T"], "b": ["N", "T"]})
    loaded = load(content, tmp_path, inputs=(InputSpec(name="a", shape=(4, 3)),))
    assert [tensor.shape for tensor in loaded.inputs] == [(4, 3), (4, 3)]
    assert loaded.notes == ()


def stating(content: GraphProto, **shapes: list[int]) -> GraphProto:
    """A graph that says of inner values which shapes they have."""
    content.value_info.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()
    )
    return content


CHAIN = [node("Relu", ["x"], ["r"]), node("MatMul", ["r", "w"], ["y"])]


def test_shapes_in_the_file_that_its_inputs_contradict_are_not_used_and_said(tmp_path: Path) -> None:
    """A batch that was changed by hand, or by a script, leaves them behind."""
    content = stating(graph(CHAIN, {"x": [8, 16]}, {"w": ones(16, 4)}), r=[1, 16])
    loaded = load(content, tmp_path)
    assert [each.outputs[0].shape for each in loaded.nodes] == [(8, 16), (8, 4)]
    assert any("'r'" in note and "contradict its inputs" in note for note in loaded.notes)


def test_shapes_in_the_file_fill_in_for_what_cannot_be_inferred(tmp_path: Path) -> None:
    strange = node("Strange", ["x"], ["r"], domain="com.microsoft")
    content = stating(graph([strange, CHAIN[1]], {"x": [8, 16]}, {"w": ones(16, 4)}), r=[2, 16])
    loaded = load(content, tmp_path)
    assert (loaded.nodes[1].outputs[0].shape, loaded.notes) == ((2, 4), ())


def test_another_input_forgets_what_branches_say_of_shapes_too(tmp_path: Path) -> None:
    arm = stating(graph([CHAIN[0], node("MatMul", ["r", "w"], ["m"])], {}), r=[1, 16])
    choice = node("If", ["c"], ["y"], then_branch=arm, else_branch=arm)
    content = graph([choice], {"c": [], "x": [1, 16]}, {"w": ones(16, 4)}, dtypes={"c": TensorProto.BOOL})
    loaded = load(content, tmp_path, inputs=(InputSpec(name="x", shape=(8, 16)),))
    assert loaded.outputs[0].shape == (8, 4)
