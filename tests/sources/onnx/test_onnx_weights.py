"""What is stored with a model, and why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from benchmarks.external_file import LAYERS, WEIGHT_BYTES, WIDTH, perceptron
from convcost.analysis import analyze_graph
from convcost.errors import SourceError
from convcost.graph import DType, Role
from convcost.sources import Request
from convcost.sources.onnx import load_onnx
from tests.sources.onnx.tiny import analyze, graph, ints, load, node, ones


def roles(loaded) -> dict[str, Role]:
    return {weight.name: weight.role for weight in loaded.weights}


def test_running_statistics_are_buffers_and_the_rest_parameters(tmp_path: Path) -> None:
    norm = node("BatchNormalization", ["x", "scale", "shift", "mean", "var"], ["y"])
    weights = {name: ones(3) for name in ("scale", "shift", "mean", "var")}
    found = analyze(graph([norm], {"x": [1, 3, 4, 4]}, weights), tmp_path)
    assert (found.totals.params, found.totals.buffers) == (6, 6)


def test_shapes_scalars_and_scales_are_constants(tmp_path: Path) -> None:
    nodes = [
        node("Reshape", ["x", "sizes"], ["r"]),
        node("Clip", ["r", "low"], ["c"]),
        node("Resize", ["c", "", "scales"], ["y"]),
    ]
    weights = {"sizes": ints(1, 1, 4, 4), "low": np.float32(0), "scales": ones(4)}
    loaded = load(graph(nodes, {"x": [1, 16]}, weights), tmp_path)
    assert set(roles(loaded).values()) == {Role.CONSTANT}


def test_a_learnable_scale_of_one_element_is_a_parameter_and_an_exporters_factor_is_not(tmp_path: Path) -> None:
    nodes = [node("Mul", ["x", "block.gamma"], ["m"]), node("Mul", ["m", "val_7"], ["y"])]
    loaded = load(graph(nodes, {"x": [4]}, {"block.gamma": ones(1), "val_7": ones(1)}), tmp_path)
    assert roles(loaded) == {"block.gamma": Role.PARAMETER, "val_7": Role.CONSTANT}


def test_unused_weights_are_listed(tmp_path: Path) -> None:
    found = analyze(graph([node("Relu", ["x"], ["y"])], {"x": [4]}, {"head.weight": ones(5, 4)}), tmp_path)
    assert (found.totals.params, found.unused.params) == (20, 20)


def test_identity_of_a_weight_is_the_same_weight(tmp_path: Path) -> None:
    nodes = [
        node("Identity", ["w"], ["w2"]),
        node("Transpose", ["w2"], ["w3"]),
        node("MatMul", ["x", "w"], ["a"]),
        node("MatMul", ["a", "w3"], ["y"]),
    ]
    found = analyze(graph(nodes, {"x": [1, 8]}, {"w": ones(8, 3)}), tmp_path)
    assert [layer.node.op.family for layer in found.layers] == ["linear", "linear"]
    assert [layer.storage.params for layer in found.layers] == [24, 0]
    assert found.totals.macs == 48


def test_a_dequantized_weight_stays_the_layers_own_eight_bits(tmp_path: Path) -> None:
    nodes = [
        node("QuantizeLinear", ["x", "xs", "xz"], ["xq"]),
        node("DequantizeLinear", ["xq", "xs", "xz"], ["xd"]),
        node("DequantizeLinear", ["w", "ws", "wz"], ["wd"], axis=0),
        node("DequantizeLinear", ["b", "bs"], ["bd"], axis=0),
        node("Conv", ["xd", "wd", "bd"], ["y"]),
    ]
    weights = {
        "xs": np.float32(0.1),
        "xz": np.uint8(3),
        "w": ones(4, 3, 3, 3, dtype=np.int8),
        "ws": ones(4),
        "wz": np.zeros(4, np.int8),
        "b": ones(4, dtype=np.int32),
        "bs": ones(4),
    }
    loaded = load(graph(nodes, {"x": [1, 3, 8, 8]}, weights), tmp_path)
    conv = loaded.nodes[-1]
    assert [node.origin.operator for node in loaded.nodes] == ["QuantizeLinear", "DequantizeLinear", "Conv"]
    assert [(weight.name, weight.dtype) for weight in conv.weights] == [("w", DType.INT8), ("b", DType.INT32)]
    assert {name for name, role in roles(loaded).items() if role is Role.PARAMETER} == {"w", "b"}
    assert conv.cost.bytes_read == 3 * 64 * 4 + 108 + 16
    assert conv.cost.macs == 36 * 4 * 27


def test_constant_nodes_are_no_work_and_parameters_only_where_learnt(tmp_path: Path) -> None:
    nodes = [
        node("Constant", [], ["w"], value=numpy_helper.from_array(ones(8, 3))),
        node("Constant", [], ["offset"], value_floats=[1.0, 2.0, 3.0]),
        node("MatMul", ["x", "w"], ["m"]),
        node("Add", ["m", "offset"], ["y"]),
    ]
    loaded = load(graph(nodes, {"x": [1, 8]}), tmp_path)
    assert [layer.op.family for layer in loaded.nodes] == ["linear", "elementwise"]
    assert roles(loaded) == {"w": Role.PARAMETER, "offset": Role.CONSTANT}


@pytest.mark.parametrize(
    "form",
    [{"value_int": 3}, {"value_ints": [3]}, {"value_float": 3.0}, {"value_string": "a"}, {"value_strings": ["a"]}],
)
def test_every_form_of_constant_is_read(tmp_path: Path, form: dict) -> None:
    nodes = [node("Constant", [], ["c"], **form), node("Identity", ["c"], ["y"])]
    loaded = load(graph(nodes, {"x": [1]}), tmp_path)
    assert loaded.outputs[0].weight is not None


def test_sparse_initializers_count_by_their_dense_shape(tmp_path: Path) -> None:
    content = graph([node("MatMul", ["x", "w"], ["y"])], {"x": [1, 8]})
    values = numpy_helper.from_array(ones(2), "w")
    content.sparse_initializer.append(helper.make_sparse_tensor(values, numpy_helper.from_array(ints(0, 5)), [8, 3]))
    found = analyze(content, tmp_path)
    assert (found.totals.macs, found.totals.params) == (24, 24)


def test_weights_of_over_two_gigabytes_beside_the_model_are_counted_where_they_lie(tmp_path: Path) -> None:
    path = tmp_path / "perceptron.onnx"
    path.write_bytes(perceptron("perceptron.weights").SerializeToString())  # and no such file
    loaded = load_onnx(Request(target=str(path)))
    last = loaded.weights[-1]
    assert last.stored is not None
    assert last.stored.path == str(tmp_path / "perceptron.weights")
    assert (last.stored.offset, last.stored.length) == ((LAYERS - 1) * WEIGHT_BYTES, WEIGHT_BYTES)
    assert last.stored.offset > 2**31
    totals = analyze_graph(loaded).totals
    assert totals.macs == totals.params == totals.weight_bytes // 4 == LAYERS * WIDTH**2


def test_a_negative_size_and_an_unknown_type_are_refused(tmp_path: Path) -> None:
    for change in ({"dims": [-1, 3]}, {"data_type": 99}):
        content = graph([node("Relu", ["x"], ["y"])], {"x": [4]})
        content.initializer.append(TensorProto(**{"name": "w", "data_type": 1, "dims": [2], **change}))
        with pytest.raises(SourceError, match="'w'"):
            load(content, tmp_path)


def test_what_is_alike_but_for_being_an_initializer_has_a_role_of_its_own(tmp_path: Path) -> None:
    constant = node("Constant", [], ["c"], value=numpy_helper.from_array(ones(3, 4), "c"))
    nodes = [constant, node("Mul", ["x", "c"], ["a"]), node("Mul", ["a", "w"], ["y"])]
    found = roles(load(graph(nodes, {"x": [1, 1]}, {"w": ones(3, 4)}), tmp_path))
    assert found == {"c": Role.CONSTANT, "w": Role.PARAMETER}


def test_a_use_is_seen_through_a_view_of_a_view(tmp_path: Path) -> None:
    views = [node("Identity", ["mean"], ["one"]), node("Identity", ["one"], ["two"])]
    normalization = node("BatchNormalization", ["x", "scale", "bias", "two", "var"], ["y"])
    stored = {name: ones(3) for name in ("scale", "bias", "mean", "var")}
    found = roles(load(graph([*views, normalization], {"x": [1, 3, 4]}, stored), tmp_path))
    assert found["mean"] is found["var"] is Role.BUFFER


def test_scales_of_joined_tensors_are_constants(tmp_path: Path) -> None:
    stored = {name: ones(1) for name in ("scale", "scale1")} | {
        "zero": ones(1, dtype=np.uint8),
        "part": ones(2, dtype=np.uint8),
    }
    names = ["scale", "zero", "part", "scale1", "zero"]
    join = helper.make_node("QLinearConcat", names, ["y"], domain="com.microsoft", axis=0)
    found = roles(load(graph([join], {}, stored), tmp_path))
    assert found.pop("part") is Role.PARAMETER
    assert set(found.values()) == {Role.CONSTANT}
