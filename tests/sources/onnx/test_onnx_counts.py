"""MACs of small models against hand arithmetic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto

from tests.sources.onnx.tiny import analyze, graph, ints, load, node, ones

INT8 = {"x": TensorProto.UINT8}


def macs(nodes, inputs, weights, folder, **options):
    found = analyze(graph(nodes, inputs, weights, **options), folder)
    assert found.unknown == ()
    return found.totals.macs


def test_convolution_counts_output_positions_and_divides_by_groups(tmp_path: Path) -> None:
    conv = node("Conv", ["x", "w"], ["y"], strides=[2, 1], pads=[1, 0, 2, 1], dilations=[1, 2], group=2)
    # Rows: (9 + 1 + 2 - 3) // 2 + 1 = 5. Columns: 8 + 0 + 1 - 2 * 2 = 5.
    assert macs([conv], {"x": [1, 4, 9, 8]}, {"w": ones(6, 2, 3, 3)}, tmp_path) == 5 * 5 * 6 * 2 * 9


@pytest.mark.parametrize(("auto_pad", "pads"), [("SAME_UPPER", (1, 2)), ("SAME_LOWER", (2, 1))])
def test_same_padding_of_an_even_kernel_keeps_every_position(
    tmp_path: Path, auto_pad: str, pads: tuple[int, int]
) -> None:
    conv = node("Conv", ["x", "w"], ["y"], auto_pad=auto_pad)
    (layer,) = load(graph([conv], {"x": [1, 3, 7, 7]}, {"w": ones(5, 3, 4, 4)}), tmp_path).nodes
    assert layer.cost.macs == 49 * 5 * 3 * 16
    assert layer.op.attributes()["pads"] == (pads, pads)


def test_valid_padding_ignores_pads(tmp_path: Path) -> None:
    conv = node("Conv", ["x", "w"], ["y"], auto_pad="VALID", pads=[1, 1, 1, 1])
    assert macs([conv], {"x": [1, 3, 7, 7]}, {"w": ones(5, 3, 3, 3)}, tmp_path) == 25 * 5 * 3 * 9


@pytest.mark.parametrize(
    ("attributes", "side"),
    [
        ({}, 9),
        ({"pads": [1, 1, 1, 1], "output_padding": [1, 1]}, 8),
        ({"auto_pad": "SAME_UPPER"}, 8),
        ({"auto_pad": "SAME_LOWER"}, 8),
        ({"output_shape": [10, 10]}, 10),
        ({"output_shape": [7, 7]}, 7),
    ],
)
def test_transposed_convolution_counts_input_positions_in_every_padding_form(
    tmp_path: Path, attributes: dict, side: int
) -> None:
    conv = node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2], **attributes)
    loaded = load(graph([conv], {"x": [1, 6, 4, 4]}, {"w": ones(6, 2, 3, 3)}), tmp_path)
    (layer,) = loaded.nodes
    assert layer.cost.macs == 16 * 6 * 2 * 9
    assert layer.outputs[0].shape == (1, 2, side, side)
    # The op alone, without onnx's inference, must come to the same shape.
    assert layer.op.output_shapes(tuple(tensor.shape for tensor in layer.operands)) == ((1, 2, side, side),)


def test_deformable_convolution_has_the_convolutions_macs(tmp_path: Path) -> None:
    conv = node("DeformConv", ["x", "w", "offset", "", "mask"], ["y"], kernel_shape=[3, 3])
    inputs = {"x": [1, 4, 8, 8], "offset": [1, 18, 6, 6], "mask": [1, 9, 6, 6]}
    assert macs([conv], inputs, {"w": ones(8, 4, 3, 3)}, tmp_path) == 36 * 8 * 4 * 9


def test_product_with_a_stored_matrix_is_a_linear_layer(tmp_path: Path) -> None:
    loaded = load(graph([node("MatMul", ["x", "w"], ["y"])], {"x": [2, 5, 8]}, {"w": ones(8, 3)}), tmp_path)
    assert (loaded.nodes[0].op.family, loaded.nodes[0].cost.macs) == ("linear", 2 * 5 * 8 * 3)


def test_product_of_activations_broadcasts_its_batches(tmp_path: Path) -> None:
    loaded = load(graph([node("MatMul", ["a", "b"], ["y"])], {"a": [2, 1, 5, 8], "b": [3, 8, 4]}), tmp_path)
    assert (loaded.nodes[0].op.family, loaded.nodes[0].cost.macs) == ("matmul", 2 * 3 * 5 * 8 * 4)


@pytest.mark.parametrize(("transposed", "shape"), [(0, (8, 3)), (1, (3, 8))])
def test_gemm_is_a_linear_layer_with_its_bias(tmp_path: Path, transposed: int, shape: tuple[int, int]) -> None:
    gemm = node("Gemm", ["x", "w", "b"], ["y"], transB=transposed)
    found = analyze(graph([gemm], {"x": [4, 8]}, {"w": ones(*shape), "b": ones(3)}), tmp_path)
    assert (found.totals.macs, found.totals.other_ops, found.totals.params) == (4 * 8 * 3, 12, 27)


def test_gemm_scaling_is_other_work_and_scaling_by_one_is_none(tmp_path: Path) -> None:
    gemm = node("Gemm", ["a", "b", "c"], ["y"], transA=1, alpha=0.5, beta=2.0)
    found = analyze(graph([gemm], {"a": [8, 4], "b": [8, 3], "c": [3]}), tmp_path)
    # Scale the 12 products, scale the 3 addends, add.
    assert (found.totals.macs, found.totals.other_ops) == (4 * 8 * 3, 12 + 3 + 12)


def test_einsum_contracts(tmp_path: Path) -> None:
    einsum = node("Einsum", ["a", "b"], ["y"], equation="bij,bjk->bik")
    assert macs([einsum], {"a": [2, 3, 4], "b": [2, 4, 5]}, {}, tmp_path) == 2 * 3 * 4 * 5


@pytest.mark.parametrize(("operator", "gates"), [("RNN", 1), ("GRU", 3), ("LSTM", 4)])
@pytest.mark.parametrize("directions", [1, 2])
def test_recurrent_counts_every_gate_step_and_direction(
    tmp_path: Path, operator: str, gates: int, directions: int
) -> None:
    way = "bidirectional" if directions == 2 else "forward"
    layer = node(operator, ["x", "w", "r"], ["y"], hidden_size=6, direction=way)
    weights = {"w": ones(directions, gates * 6, 5), "r": ones(directions, gates * 6, 6)}
    assert macs([layer], {"x": [7, 2, 5]}, weights, tmp_path) == 7 * 2 * directions * gates * 6 * (5 + 6)


def test_attention_counts_by_query_heads_with_what_came_before(tmp_path: Path) -> None:
    attention = node("Attention", ["q", "k", "v", "", "pk", "pv"], ["y", "nk", "nv"])
    inputs = {
        "q": [2, 8, 5, 16],
        "k": [2, 2, 5, 16],
        "v": [2, 2, 5, 12],
        "pk": [2, 2, 7, 16],
        "pv": [2, 2, 7, 12],
    }
    content = graph([attention], inputs, outputs=["y", "nk", "nv"])
    found = analyze(content, tmp_path, opset=23)
    assert (found.unknown, found.totals.macs) == ((), 2 * 8 * 5 * 12 * (16 + 12))


def test_attention_on_merged_heads_splits_them(tmp_path: Path) -> None:
    attention = node("Attention", ["q", "k", "v"], ["y"], q_num_heads=4, kv_num_heads=4)
    inputs = {name: [2, 5, 32] for name in "qkv"}
    loaded = load(graph([attention], inputs), tmp_path, opset=23)
    assert sum(layer.cost.macs for layer in loaded.nodes) == 2 * 4 * 5 * 5 * 16
    assert loaded.outputs[0].shape == (2, 5, 32)


def test_embedding_costs_no_macs(tmp_path: Path) -> None:
    gather = node("Gather", ["table", "x"], ["y"])
    content = graph([gather], {"x": [1, 6]}, {"table": ones(100, 8)}, dtypes={"x": TensorProto.INT64})
    found = analyze(content, tmp_path)
    assert (found.totals.macs, found.totals.params, found.layers[0].node.op.kind) == (0, 800, "gather")


@pytest.mark.parametrize("opset", [11, 20])
def test_resize_by_scales_is_other_work(tmp_path: Path, opset: int) -> None:
    """Opset 11 asks for the second input, which some exporters leave out all the same."""
    resize = node("Resize", ["x", "", "scales"], ["y"], mode="linear")
    content = graph([resize], {"x": [1, 2, 4, 4]}, {"scales": np.array([1, 1, 2, 2], np.float32)})
    found = analyze(content, tmp_path, opset=opset)
    assert (found.unknown, found.totals.macs, found.totals.other_ops, found.totals.params) == ((), 0, 2 * 64 * 7, 0)


def test_axes_given_as_an_input_are_read(tmp_path: Path) -> None:
    mean = node("ReduceMean", ["x", "axes"], ["y"], keepdims=0)
    loaded = load(graph([mean], {"x": [2, 3, 4]}, {"axes": ints(-1)}), tmp_path)
    attributes = loaded.nodes[0].op.attributes()
    assert (attributes["axes"], attributes["keepdims"], loaded.outputs[0].shape) == ((-1,), False, (2, 3))


def test_views_move_nothing_and_share_memory(tmp_path: Path) -> None:
    nodes = [node("Relu", ["x"], ["r"]), node("Flatten", ["r"], ["f"]), node("Unsqueeze", ["f", "axes"], ["y"])]
    loaded = load(graph(nodes, {"x": [2, 3, 4]}, {"axes": ints(0)}), tmp_path)
    assert [layer.cost.bytes_moved for layer in loaded.nodes] == [192, 0, 0]
    assert [tensor.alias for tensor in (loaded.nodes[1].outputs + loaded.nodes[2].outputs)] == ["r", "r"]


def test_an_operator_nobody_knows_is_listed_and_keeps_its_output(tmp_path: Path) -> None:
    nodes = [node("Frobnicate", ["x"], ["m"], domain="com.example"), node("Relu", ["m"], ["y"])]
    found = analyze(graph(nodes, {"x": [2, 3]}), tmp_path)
    assert [(op.operator, "com.example" in op.reason) for op in found.unknown] == [
        ("Frobnicate", True),
        ("Relu", False),
    ]
    assert found.is_lower_bound


def test_a_known_name_in_another_domain_is_not_taken_for_the_standard_operator(tmp_path: Path) -> None:
    found = analyze(
        graph([node("Conv", ["x", "w"], ["y"], domain="com.example")], {"x": [1, 3, 8, 8], "w": None}), tmp_path
    )
    assert [op.operator for op in found.unknown] == ["Conv"]


def test_shape_arithmetic_is_followed_where_inference_stops(tmp_path: Path) -> None:
    # Expand to a shape made by ConstantOfShape, Mul, Equal and Where, as the TorchScript exporter writes it.
    nodes = [
        node("ConstantOfShape", ["rank"], ["zeros"]),
        node("Cast", ["zeros"], ["zeros64"], to=TensorProto.INT64),
        node("Add", ["zeros64", "one"], ["ones"]),
        node("Mul", ["ones", "minus"], ["minuses"]),
        node("Equal", ["wanted", "minuses"], ["open"]),
        node("Where", ["open", "ones", "wanted"], ["sizes"]),
        node("Expand", ["x", "sizes"], ["y"]),
    ]
    weights = {"rank": ints(3), "one": ints(1), "minus": ints(-1), "wanted": ints(5, -1, 4)}
    loaded = load(graph(nodes, {"x": [1, 7, 1]}, weights), tmp_path)
    assert loaded.outputs[0].shape == (5, 7, 4)


def test_composite_operators_are_expanded_by_their_definition(tmp_path: Path) -> None:
    found = analyze(graph([node("SwiGLU", ["a", "b"], ["y"])], {"a": [2, 8], "b": [2, 8]}), tmp_path, opset=28)
    assert (found.unknown, [layer.operator for layer in found.layers]) == ((), ["Swish", "Mul"])
