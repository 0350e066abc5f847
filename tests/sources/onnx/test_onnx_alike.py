"""Nodes of one operator and one shape are lowered once, and each keeps what is its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import GraphProto, NodeProto, TensorProto, checker, defs, helper, numpy_helper, shape_inference

from convcost.graph import DType, Graph
from convcost.sources.onnx.alike import BY_FORM
from convcost.sources.onnx.build import GraphBuilder
from tests.sources.onnx.tiny import graph, ints, load, node

WEIGHT = np.zeros((4, 4, 3, 3), np.float32)


def operands(found: Graph) -> list[tuple[str, ...]]:
    return [tuple(tensor.name for tensor in each.operands) for each in found.nodes]


def test_each_node_reads_its_own_operands(tmp_path: Path):
    nodes = [
        node("Conv", ["x", "first"], ["a"], pads=[1, 1, 1, 1]),
        node("Conv", ["a", "second"], ["b"], pads=[1, 1, 1, 1]),
        node("Add", ["b", "b"], ["c"]),
        node("Add", ["b", "c"], ["d"]),
        node("Add", ["d", "x"], ["e"]),
    ]
    found = load(graph(nodes, {"x": [1, 4, 8, 8]}, {"first": WEIGHT, "second": WEIGHT}), tmp_path)
    assert operands(found) == [("x", "first"), ("a", "second"), ("b", "b"), ("b", "c"), ("d", "x")]


def test_alike_nodes_are_lowered_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    lowered = []
    new = GraphBuilder._lower_operator
    monkeypatch.setattr(
        GraphBuilder,
        "_lower_operator",
        lambda self, each, *others: (lowered.append(each.op_type), new(self, each, *others)),
    )
    nodes = [node("Relu", [f"x{step}" if step else "x"], [f"x{step + 1}"]) for step in range(5)]
    load(graph(nodes, {"x": [1, 4, 8, 8]}), tmp_path)
    assert lowered == ["Relu"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            node("AveragePool", ["x"], ["y"], kernel_shape=[3, 3], pads=[1] * 4),
            node("AveragePool", ["y"], ["z"], kernel_shape=[5, 5], pads=[2] * 4),
        ),
        (
            node("Conv", ["x", "w"], ["y"], pads=[1] * 4),
            node("Conv", ["y", "w"], ["z"], pads=[2] * 4, dilations=[2, 2]),
        ),
    ],
    ids=lambda each: each.op_type,
)
def test_other_attributes_make_another_op(tmp_path: Path, one, other):
    weights = {"w": WEIGHT} if "w" in one.input else {}
    together = load(graph([one, other], {"x": [1, 4, 8, 8]}, weights), tmp_path).nodes[1].op
    alone = load(graph([other], {"y": [1, 4, 8, 8]}, weights), tmp_path).nodes[0].op
    assert together == alone


def test_known_values_are_looked_at_for_every_node(tmp_path: Path):
    nodes = [
        node("ReduceSum", ["x", "rows"], ["a"], keepdims=0),
        node("ReduceSum", ["x", "columns"], ["b"], keepdims=0),
        node("Add", ["a", "b"], ["c"]),
    ]
    axes = {"rows": np.array([0], np.int64), "columns": np.array([1], np.int64)}
    found = load(graph(nodes, {"x": [6, 6]}, axes), tmp_path).nodes
    assert [each.op.attributes()["axes"] for each in found[:2]] == [(0,), (1,)]


def test_the_same_values_in_other_tensors_make_nodes_alike_and_other_values_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked = []
    infer = shape_inference.infer_node_outputs
    monkeypatch.setattr(
        shape_inference,
        "infer_node_outputs",
        lambda *given, **others: (asked.append(given[1]), infer(*given, **others))[1],
    )
    nodes = [
        node("Reshape", ["x", "rows"], ["a"]),
        node("Reshape", ["x", "again"], ["b"]),
        node("Reshape", ["x", "columns"], ["c"]),
        node("Concat", ["a", "b", "c"], ["d"], axis=0),
    ]
    shapes = {"rows": ints(3, 4), "again": ints(3, 4), "columns": ints(-1, 4)}
    found = load(graph(nodes, {"x": [2, 6]}, shapes), tmp_path).nodes
    assert [each.outputs[0].shape for each in found] == [(3, 4), (3, 4), (3, 4), (9, 4)]
    assert [each.output[0] for each in asked] == ["a", "c", "d"]


def test_a_view_is_one_of_its_own_operand(tmp_path: Path):
    nodes = [
        node("Relu", ["x"], ["a"]),
        node("Reshape", ["x", "shape"], ["first"]),
        node("Reshape", ["a", "shape"], ["second"]),
        node("Add", ["first", "second"], ["sum"]),
    ]
    _, first, second, _ = load(graph(nodes, {"x": [2, 6]}, {"shape": ints(3, 4)}), tmp_path).nodes
    assert (first.outputs[0].alias, second.outputs[0].alias) == ("x", "a")


def test_the_whole_model_is_inferred_only_where_single_nodes_leave_something_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked = []
    infer = shape_inference.infer_shapes
    monkeypatch.setattr(shape_inference, "infer_shapes", lambda model: (asked.append(model), infer(model))[1])
    closed = [node("Conv", ["x", "w"], ["y"]), node("Relu", ["y"], ["z"])]
    load(graph(closed, {"x": [1, 4, 8, 8]}, {"w": WEIGHT}), tmp_path)
    assert not asked
    found = load(graph([*closed, node("NonZero", ["z"], ["t"])], {"x": [1, 4, 8, 8]}, {"w": WEIGHT}), tmp_path)
    assert len(asked) == 1
    assert found.nodes[1].outputs[0].shape == (1, 4, 6, 6)


IMAGE, SQUARE, VECTOR = [1, 4, 8, 8], [4, 4], [4]
EXAMPLES: dict[str, tuple[list[list[int]], dict[str, object]]] = {
    "AveragePool": ([IMAGE], {"kernel_shape": [3, 3]}),
    "BatchNormalization": ([IMAGE, VECTOR, VECTOR, VECTOR, VECTOR], {}),
    "Concat": ([SQUARE, SQUARE], {"axis": 1}),
    "Conv": ([IMAGE, [4, 4, 3, 3], VECTOR], {}),
    "ConvTranspose": ([IMAGE, [4, 4, 3, 3], VECTOR], {}),
    "DequantizeLinear": ([SQUARE, VECTOR, VECTOR], {}),
    "GRU": ([[5, 2, 3], [1, 12, 3], [1, 12, 4], [1, 24], [2], [1, 2, 4]], {"hidden_size": 4}),
    "Gather": ([SQUARE, [2, 3]], {"axis": 1}),
    "Gemm": ([SQUARE, SQUARE, VECTOR], {"transB": 1}),
    "GlobalAveragePool": ([IMAGE], {}),
    "GroupNormalization": ([IMAGE, VECTOR, VECTOR], {"num_groups": 2}),
    "InstanceNormalization": ([IMAGE, VECTOR, VECTOR], {}),
    "LSTM": ([[5, 2, 3], [1, 16, 3], [1, 16, 4], [1, 32], [2], [1, 2, 4], [1, 2, 4]], {"hidden_size": 4}),
    "LayerNormalization": ([SQUARE, VECTOR, VECTOR], {}),
    "MaxPool": ([IMAGE], {"kernel_shape": [3, 3], "strides": [2, 2]}),
    "QuantizeLinear": ([SQUARE, VECTOR, VECTOR], {}),
    "RMSNormalization": ([SQUARE, VECTOR], {}),
    "RNN": ([[5, 2, 3], [1, 4, 3], [1, 4, 4], [1, 8], [2], [1, 2, 4]], {"hidden_size": 4}),
    "Relu": ([IMAGE], {}),
    "Sigmoid": ([IMAGE], {}),
    "Softmax": ([SQUARE], {"axis": 1}),
    "Tanh": ([IMAGE], {}),
    "Where": ([SQUARE, SQUARE, VECTOR], {}),
}
OTHER_TYPES = {("Gather", 1): np.int64, ("GRU", 4): np.int32, ("LSTM", 4): np.int32, ("RNN", 4): np.int32} | {
    ("Where", 0): np.bool_,
    ("DequantizeLinear", 0): np.int8,
    ("DequantizeLinear", 2): np.int8,
    ("QuantizeLinear", 2): np.int8,
}


@pytest.mark.parametrize(
    "schema",
    [each for each in defs.get_all_schemas_with_history() if each.name in BY_FORM and not each.domain],
    ids=lambda schema: f"{schema.name}-{schema.since_version}",
)
def test_operators_told_by_form_have_the_same_results_whatever_the_values(schema: defs.OpSchema):
    """Were one to look at values, `alike.BY_FORM` would have to do without it."""
    shapes, attributes = EXAMPLES.get(schema.name, ([SQUARE, SQUARE], {}))
    names = [f"x{place}" for place in range(len(shapes))]
    single = helper.make_node(schema.name, names, ["y"], **attributes)
    operands = {
        name: np.zeros(shape, OTHER_TYPES.get((schema.name, place), np.float32))
        for place, (name, shape) in enumerate(zip(names, shapes, strict=True))
    }

    def results(value: int | None) -> str:
        tensors = {
            name: numpy_helper.from_array(np.full_like(each, value or 0), name) for name, each in operands.items()
        }
        types = {name: helper.make_tensor_type_proto(t.data_type, t.dims) for name, t in tensors.items()}
        known = {} if value is None else tensors
        try:
            return str(shape_inference.infer_node_outputs(schema, single, types, known, ir_version=10))
        except (shape_inference.InferenceError, checker.ValidationError) as error:  # first versions have other operands
            return str(error)

    assert results(None) == results(0) == results(3)


def test_there_is_an_example_of_every_operator_told_by_form():
    latest = {each.name: each for each in defs.get_all_schemas() if each.name in BY_FORM and not each.domain}
    assert latest.keys() == BY_FORM
    assert all(
        len(EXAMPLES.get(name, ([SQUARE, SQUARE], {}))[0]) >= schema.min_input for name, schema in latest.items()
    )


def test_what_is_stated_of_a_value_behind_control_flow_is_known(tmp_path: Path):
    body = graph([node("Identity", ["on"], ["still"]), node("Relu", ["v"], ["w"])], {"step": [], "on": [], "v": [2]})
    body.output.insert(0, helper.make_tensor_value_info("still", 9, []))
    whole = graph([node("Loop", ["times", "", "x"], ["y"], body=body), node("Strange", ["y"], ["z"])], {"x": [2]})
    whole.output[0].type.CopyFrom(helper.make_tensor_type_proto(1, [5]))
    whole.initializer.append(numpy_helper.from_array(np.array(3, np.int64), "times"))
    assert load(whole, tmp_path).outputs[0].shape == (5,)


def test_the_type_that_operands_tell_goes_before_one_that_is_stated(tmp_path: Path):
    whole = graph([node("NonZero", ["x"], ["y"])], {"x": [4]})
    whole.output[0].type.CopyFrom(helper.make_tensor_type_proto(TensorProto.FLOAT, [1, 3]))
    output = load(whole, tmp_path).outputs[0]
    assert (output.shape, output.dtype) == ((1, 3), DType.INT64)


def test_only_what_is_computed_is_compared_with_what_is_stated(tmp_path: Path):
    whole = graph([node("Relu", ["x"], ["y"])], {"x": [4]})
    whole.value_info.append(helper.make_tensor_value_info("x", TensorProto.FLOAT, [5]))
    assert not load(whole, tmp_path).notes
    whole.value_info.append(helper.make_tensor_value_info("y", TensorProto.FLOAT, [5]))
    assert "such as that of 'y'" in load(whole, tmp_path).notes[0]


def quantized_table(reader: NodeProto, *others: NodeProto) -> GraphProto:
    weights = {"table": np.zeros((5, 4), np.int8), "scale": np.array(1, np.float32), "i": ints(0, 2)}
    return graph([node("DequantizeLinear", ["table", "scale"], ["d"]), reader, *others], {"x": [4]}, weights)


@pytest.mark.parametrize(
    "reader",
    [
        node("Gather", ["d", "i"], ["y"]),
        node("Add", ["d", "x"], ["y"]),
        node("Relu", ["d"], ["y"]),
        node("Concat", ["d", "d"], ["y"], axis=0),
    ],
    ids=lambda each: each.op_type,
)
def test_what_reads_a_dequantized_tensor_gets_numbers_of_its_type_and_not_of_the_stored_one(
    tmp_path: Path, reader: NodeProto
):
    read = load(quantized_table(reader), tmp_path).nodes[-1]
    assert (read.outputs[0].dtype, read.operands[0].dtype) == (DType.FLOAT32, DType.INT8)


def test_a_stored_and_a_dequantized_tensor_of_one_form_are_not_alike(tmp_path: Path):
    table = quantized_table(node("Gather", ["table", "i"], ["stored"]), node("Gather", ["d", "i"], ["y"]))
    stored, dequantized = load(table, tmp_path).nodes
    assert (stored.outputs[0].dtype, dequantized.outputs[0].dtype) == (DType.INT8, DType.FLOAT32)


def test_a_dequantized_tensor_is_of_its_type_in_a_loop_that_carries_it(tmp_path: Path):
    body = graph([node("Identity", ["on"], ["still"]), node("Relu", ["v"], ["w"])], {"step": [], "on": [], "v": [5, 4]})
    body.output.insert(0, helper.make_tensor_value_info("still", TensorProto.BOOL, []))
    table = quantized_table(node("Loop", ["times", "", "d"], ["y"], body=body))
    table.initializer.append(numpy_helper.from_array(np.array(3, np.int64), "times"))
    relu = next(each for each in load(table, tmp_path).nodes if each.origin.operator == "Relu")
    assert relu.outputs[0].dtype is DType.FLOAT32
