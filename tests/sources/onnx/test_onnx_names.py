"""Layer names are module paths, from whatever the exporter left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import GraphProto, helper

from convcost.sources.onnx.module_paths import owner_of, path_of
from convcost.sources.onnx.node import read_nodes
from tests.sources.onnx.tiny import graph, load, node, ones


def scoped(content: GraphProto, *scopes: str) -> GraphProto:
    for item, scope in zip(content.node, scopes, strict=True):
        parts = scope.split(".") if scope else []
        paths = ["", *(".".join(parts[: end + 1]) for end in range(len(parts))), "call"]
        item.metadata_props.add(key="pkg.torch.onnx.name_scopes", value=str(paths))
    return content


def names(content: GraphProto, folder: Path) -> list[str]:
    return [layer.name for layer in load(content, folder).nodes]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("/layer1/layer1.0/conv1/Conv", "layer1.0.conv1"),
        ("/features/features.0/features.0.0/Conv", "features.0.0"),
        ("/encoder/layers/encoder_layer_0/mlp/mlp.0/MatMul", "encoder.layers.encoder_layer_0.mlp.0"),
        ("/blocks.0/conv/Conv", "blocks.0.conv"),
        ("/Add", ""),
        ("Conv_0", "Conv_0"),
    ],
)
def test_slashes_in_node_names_are_module_paths(name: str, path: str) -> None:
    (read,) = read_nodes([node("Conv", ["x"], ["y"], name=name)])
    assert path_of(read)[0] == path


@pytest.mark.parametrize(
    ("scopes", "path"),
    [
        ("['', 'layer1', 'layer1.conv', 'conv2d']", "layer1.conv"),
        ("['', 'add']", ""),
        ("['add']", ""),
        ("['', 'layer1', 'add', 'never closed]", "layer1"),
        ("", ""),
    ],
)
def test_the_scope_before_the_call_is_the_module(scopes: str, path: str) -> None:
    message = node("Conv", ["x"], ["y"], name="/other/Conv")
    message.metadata_props.add(key="namespace", value="['', 'not', 'this']")
    message.metadata_props.add(key="pkg.torch.onnx.name_scopes", value=scopes)
    (read,) = read_nodes([message])
    assert path_of(read) == (path, True)


@pytest.mark.parametrize(
    ("weight", "owner"),
    [
        ("layer1.0.conv1.weight", "layer1.0.conv1"),
        ("attn.in_proj_weight", "attn.in_proj"),
        ("rnn.weight_ih_l0", "rnn"),
        ("rnn.bias_weight_x", "rnn"),
        ("a_weight_b.conv.bias", "a_weight_b.conv"),
        ("a.b_weight_c_bias_d", "a.b_weight_c"),
        ("weight_weight", "weight"),
        ("onnx::MatMul_123", None),
        ("val_12", None),
        ("weight", None),
        (".weight", None),
        ("a..weight", None),
        ("a._weight", None),
        ("a.weight_", None),
        ("a b.weight", None),
        ("a.weights", None),
        ("weight_" * 200, None),
    ],
)
def test_only_names_like_a_modules_tensor_have_an_owner(weight: str, owner: str | None) -> None:
    assert owner_of(weight) == owner


def test_a_convolution_with_a_folded_norms_scope_is_its_weights(tmp_path: Path) -> None:
    content = graph(
        [node("Conv", ["x", "features.0.0.weight"], ["y"])],
        {"x": [1, 3, 8, 8]},
        {"features.0.0.weight": ones(4, 3, 3, 3)},
    )
    assert names(scoped(content, "features.0.1"), tmp_path) == ["features.0.0"]


def test_a_weight_from_elsewhere_does_not_rename_a_layer(tmp_path: Path) -> None:
    content = graph([node("MatMul", ["x", "wte.table.weight"], ["y"])], {"x": [1, 8]}, {"wte.table.weight": ones(8, 3)})
    assert names(scoped(content, "lm_head"), tmp_path) == ["lm_head"]


def test_a_product_whose_matrix_lost_its_name_is_named_by_its_bias(tmp_path: Path) -> None:
    nodes = [node("MatMul", ["x", "val_1"], ["m"]), node("Add", ["m", "attn.in_proj_bias"], ["y"])]
    content = graph(nodes, {"x": [1, 8]}, {"val_1": ones(8, 24), "attn.in_proj_bias": ones(24)})
    assert names(scoped(content, "attn", "attn"), tmp_path)[0] == "attn.in_proj"


def test_a_second_call_is_of_the_same_module(tmp_path: Path) -> None:
    nodes = [
        node("Relu", ["x"], ["a"], name="/layer/relu/Relu"),
        node("Relu", ["a"], ["b"], name="/layer/relu_1/Relu"),
        node("Add", ["a", "b"], ["y"], name="/layer/Add"),
    ]
    assert names(graph(nodes, {"x": [4]}), tmp_path) == ["layer.relu", "layer.relu.relu", "layer.add"]


def test_only_a_number_after_the_name_of_a_module_is_a_second_call(tmp_path: Path) -> None:
    nodes = [
        node("Relu", ["x"], ["a"], name="/relu/Relu"),
        node("Relu", ["a"], ["b"], name="/relu_a/Relu"),
        node("Relu", ["b"], ["y"], name="/gelu_1/Relu"),
    ]
    assert names(graph(nodes, {"x": [4]}), tmp_path) == ["relu", "relu_a", "gelu_1"]


@pytest.mark.parametrize(("stored", "first"), [({"val_1": ones(8, 3)}, "fc.transpose"), ({}, "fc")])
def test_a_move_of_data_leaves_the_modules_name_to_a_product_with_a_weight(
    stored: dict[str, np.ndarray], first: str, tmp_path: Path
) -> None:
    nodes = [
        node("Transpose", ["x"], ["t"], name="/fc/Transpose"),
        node("MatMul", ["t", "val_1"], ["y"], name="/fc/MatMul"),
    ]
    inputs = {"x": [8, 2]} if stored else {"x": [8, 2], "val_1": [8, 3]}
    assert names(graph(nodes, inputs, stored), tmp_path) == [first, "fc" if stored else "fc.matmul"]


def test_everything_leaves_the_modules_name_to_a_recurrent_layer(tmp_path: Path) -> None:
    nodes = [
        node("Relu", ["x"], ["a"], name="/rnn/Relu"),
        node("LSTM", ["a", "w", "r"], ["y"], name="/rnn/LSTM", hidden_size=4),
    ]
    content = graph(nodes, {"x": [5, 1, 8]}, {"w": ones(1, 16, 8), "r": ones(1, 16, 4)})
    assert names(content, tmp_path) == ["rnn.relu", "rnn"]


def test_a_number_alone_is_no_call_of_the_module_around_it(tmp_path: Path) -> None:
    nodes = [
        node("Relu", ["x"], ["a"], name="/Relu"),
        node("Relu", ["a"], ["y"], name="/12/Relu"),
    ]
    assert names(graph(nodes, {"x": [4]}), tmp_path) == ["relu", "12"]


def test_a_module_whose_name_ends_in_a_number_is_no_second_call(tmp_path: Path) -> None:
    nodes = [
        node("LayerNormalization", ["x", "norm.weight"], ["a"], name="/norm/LayerNormalization"),
        node("LayerNormalization", ["a", "norm_1.weight"], ["y"], name="/norm_1/LayerNormalization"),
    ]
    content = graph(nodes, {"x": [1, 4]}, {"norm.weight": ones(4), "norm_1.weight": ones(4)})
    assert names(content, tmp_path) == ["norm", "norm_1"]


def test_nodes_keep_the_files_names_as_origin_and_their_own_as_layers(tmp_path: Path) -> None:
    nodes = [node("Relu", ["x"], ["a"], name="act"), node("Tanh", ["a"], ["b"]), node("Relu", ["b"], ["y"], name="act")]
    loaded = load(graph(nodes, {"x": [4]}), tmp_path)
    assert [layer.name for layer in loaded.nodes] == ["act", "tanh", "act.relu"]
    assert [(layer.origin.operator, layer.origin.node) for layer in loaded.nodes if layer.origin] == [
        ("Relu", "act"),
        ("Tanh", ""),
        ("Relu", "act"),
    ]


def test_local_functions_are_inlined_and_their_nodes_named(tmp_path: Path) -> None:
    body = [node("MatMul", ["a", "b"], ["m"], name="product"), node("Relu", ["m"], ["c"], name="act")]
    function = helper.make_function("local", "Block", ["a", "b"], ["c"], body, [helper.make_opsetid("", 20)])
    calls = [node("Block", ["x", "w"], ["y"], domain="local"), node("Block", ["y", "w"], ["z"], domain="local")]
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("local", 1)]
    whole = helper.make_model(
        graph(calls, {"x": [2, 8]}, {"w": ones(8, 8)}), functions=[function], opset_imports=opsets, ir_version=10
    )
    loaded = load(whole, tmp_path)
    assert sum(layer.cost.macs for layer in loaded.nodes) == 2 * 2 * 8 * 8
    assert len({layer.name for layer in loaded.nodes}) == 4
