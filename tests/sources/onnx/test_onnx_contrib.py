"""Operators of onnxruntime's optimiser and quantizer cost what the operators they stand for cost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto, TensorProto

from convcost.analysis import Analysis
from convcost.sources.onnx.lowering import FAMILIES, LOWERINGS, lowers
from tests.sources.onnx.tiny import analyze, graph, load, node, ones

U8 = dict.fromkeys(("x", "y"), TensorProto.UINT8)


def contrib(operator: str, inputs: list[str], **attributes: object) -> NodeProto:
    return node(operator, inputs, ["y"], domain="com.microsoft", **attributes)


def counted(item: NodeProto, inputs: dict, weights: dict, folder: Path, **options: object) -> Analysis:
    found = analyze(graph([item], inputs, weights, **options), folder)
    assert found.unknown == ()
    return found


def test_a_fused_convolution_is_convolution_sum_and_activation(tmp_path: Path) -> None:
    fused = contrib("FusedConv", ["x", "w", "b", "z"], activation="Relu")
    inputs, weights = {"x": [1, 3, 8, 8], "z": [1, 4, 6, 6]}, {"w": ones(4, 3, 3, 3), "b": ones(4)}
    found = counted(fused, inputs, weights, tmp_path)
    assert (found.totals.macs, found.totals.other_ops) == (144 * 27, 3 * 144)
    assert [layer.node.op.kind for layer in found.layers] == ["conv", "elementwise", "activation"]
    assert found.totals.params == 112


def test_a_fused_gemm_and_matmul_keep_their_product(tmp_path: Path) -> None:
    gemm = contrib("FusedGemm", ["x", "w", "b"], transB=1, activation="Relu")
    assert counted(gemm, {"x": [2, 8]}, {"w": ones(3, 8), "b": ones(3)}, tmp_path).totals.macs == 48
    product = contrib("FusedMatMul", ["a", "b"], transB=1, alpha=0.5)
    found = counted(product, {"a": [2, 5, 8], "b": [2, 7, 8]}, {}, tmp_path)
    assert (found.totals.macs, found.totals.other_ops) == (2 * 5 * 7 * 8, 70)


def test_skip_normalisation_adds_first_and_passes_the_sum_on(tmp_path: Path) -> None:
    skip = node("SkipLayerNormalization", ["x", "s", "g", "b"], ["y", "", "", "sum"], domain="com.microsoft")
    content = graph([skip], {"x": [2, 4, 8], "s": [2, 4, 8]}, {"g": ones(8), "b": ones(8)}, outputs=["y", "sum"])
    found = analyze(content, tmp_path)
    assert (found.unknown, found.totals.other_ops, found.totals.params) == ((), 64 + 7 * 64, 16)
    assert [tensor.shape for tensor in load(content, tmp_path).outputs] == [(2, 4, 8), (2, 4, 8)]


def test_fused_attention_is_projection_and_attention(tmp_path: Path) -> None:
    attention = contrib("Attention", ["x", "w", "b"], num_heads=2)
    found = counted(attention, {"x": [1, 6, 8]}, {"w": ones(8, 24), "b": ones(24)}, tmp_path)
    assert found.totals.macs == 6 * 8 * 24 + 2 * 6 * 6 * 8
    assert found.totals.params == 8 * 24 + 24


def test_multi_head_and_grouped_query_attention_count_by_query_heads(tmp_path: Path) -> None:
    inputs = {"q": [1, 6, 16], "k": [1, 6, 16], "v": [1, 6, 16]}
    found = counted(contrib("MultiHeadAttention", ["q", "k", "v"], num_heads=4), inputs, {}, tmp_path)
    assert found.totals.macs == 2 * 6 * 6 * 16
    grouped = contrib("GroupQueryAttention", ["q", "k", "v"], num_heads=4, kv_num_heads=2)
    found = counted(grouped, {**inputs, "k": [1, 6, 8], "v": [1, 6, 8]}, {}, tmp_path)
    assert found.totals.macs == 2 * 6 * 6 * 16


def test_quantized_products_own_their_eight_bit_weights(tmp_path: Path) -> None:
    scales = {"s": np.float32(1), "z": np.uint8(0)}
    conv = node("QLinearConv", ["x", "s", "z", "w", "s", "z", "s", "z", "b"], ["y"])
    weights = {"w": ones(4, 3, 3, 3, dtype=np.uint8), "b": ones(4, dtype=np.int32), **scales}
    found = counted(conv, {"x": [1, 3, 8, 8]}, weights, tmp_path, dtypes=U8)
    assert (found.totals.macs, found.totals.params, found.totals.weight_bytes) == (144 * 27, 112, 108 + 16)
    product = node("QLinearMatMul", ["x", "s", "z", "w", "s", "z", "s", "z"], ["y"])
    found = counted(product, {"x": [2, 8]}, {"w": ones(8, 3, dtype=np.uint8), **scales}, tmp_path, dtypes=U8)
    assert (found.totals.macs, found.totals.params, found.layers[0].node.op.kind) == (48, 24, "linear")
    gemm = contrib("QGemm", ["x", "s", "z", "w", "s", "z"], transB=1)
    assert (
        counted(gemm, {"x": [2, 8]}, {"w": ones(3, 8, dtype=np.uint8), **scales}, tmp_path, dtypes=U8).totals.macs == 48
    )


def test_dynamically_quantized_products_rescale(tmp_path: Path) -> None:
    weights = {"w": ones(8, 3, dtype=np.uint8), "s": np.float32(1)}
    found = counted(contrib("DynamicQuantizeMatMul", ["x", "w", "s"]), {"x": [2, 8]}, weights, tmp_path)
    assert (found.totals.macs, found.totals.other_ops, found.totals.params) == (48, 4 * 16 + 6, 24)


def test_weights_of_four_bits_count_by_the_matrix_they_hold(tmp_path: Path) -> None:
    packed = contrib("MatMulNBits", ["x", "w", "s"], K=64, N=16, bits=4, block_size=32)
    weights = {"w": ones(16, 2, 16, dtype=np.uint8), "s": ones(32)}
    found = counted(packed, {"x": [2, 64]}, weights, tmp_path)
    assert (found.totals.macs, found.totals.params, found.totals.weight_bytes) == (2 * 64 * 16, 64 * 16, 512)


@pytest.mark.parametrize(("bits", "bytes_each"), [(2, 8), (3, 12), (4, 16), (8, 32)])
def test_packed_weights_are_counted_one_by_one_and_stored_with_the_padding_of_their_blocks(
    tmp_path: Path, bits: int, bytes_each: int
) -> None:
    packed = contrib("MatMulNBits", ["x", "w", "s"], K=40, N=16, bits=bits, block_size=32)
    weights = {"w": ones(16, 2, bytes_each, dtype=np.uint8), "s": ones(32)}
    found = counted(packed, {"x": [2, 40]}, weights, tmp_path)
    assert (found.totals.params, found.totals.weight_bytes) == (40 * 16, 16 * 2 * bytes_each)
    assert found.layers[0].cost.bytes_read == 2 * 40 * 4 + 16 * 2 * bytes_each


def test_a_packed_matrix_that_is_too_small_is_not_believed(tmp_path: Path) -> None:
    packed = contrib("MatMulNBits", ["x", "w", "s"], K=64, N=16000, bits=4, block_size=32)
    found = analyze(graph([packed], {"x": [2, 64]}, {"w": ones(16, 2, 16, dtype=np.uint8), "s": ones(32)}), tmp_path)
    assert (found.unknown[0].operator, found.totals.macs, found.totals.params) == ("MatMulNBits", 0, 512)


def test_a_packed_embedding_gives_as_many_values_as_it_holds(tmp_path: Path) -> None:
    gather = contrib("GatherBlockQuantized", ["table", "x", "s"], bits=4, block_size=16, quantize_axis=1)
    content = graph(
        [gather], {"x": [1, 6]}, {"table": ones(100, 16, dtype=np.uint8), "s": ones(100, 2)}, dtypes={"x": 7}
    )
    found = analyze(content, tmp_path)
    assert (found.unknown, found.totals.macs, found.totals.other_ops) == ((), 0, 2 * 6 * 32)
    assert (found.totals.params, found.totals.weight_bytes) == (3200, 1600)
    assert load(content, tmp_path).outputs[0].shape == (1, 6, 32)


def test_experts_that_are_not_counted_still_have_their_weights(tmp_path: Path) -> None:
    names = ["x", "r", "w1", "s1", "", "w2", "s2"]
    weights = {"w1": ones(4, 16, 4, dtype=np.uint8), "w2": ones(4, 8, 8, dtype=np.uint8)}
    scales = {"s1": ones(4, 16), "s2": ones(4, 8)}
    found = analyze(graph([contrib("QMoE", names)], {"x": [2, 8], "r": [2, 4]}, {**weights, **scales}), tmp_path)
    assert (found.is_lower_bound, found.totals.params, found.totals.weight_bytes) == (True, 1024, 512)


def test_a_dynamically_quantized_lstm_counts_as_the_lstm(tmp_path: Path) -> None:
    names = ["x", "w", "r", "b", "", "", "", "", "ws", "wz", "rs", "rz"]
    layer = contrib("DynamicQuantizeLSTM", names, hidden_size=6)
    weights = {"w": ones(1, 5, 24, dtype=np.int8), "r": ones(1, 6, 24, dtype=np.int8), "b": ones(1, 48)}
    scales = {"ws": ones(1), "rs": ones(1), "wz": np.zeros(1, np.int8), "rz": np.zeros(1, np.int8)}
    content = graph([layer], {"x": [7, 2, 5]}, {**weights, **scales})
    found = analyze(content, tmp_path)
    assert (found.unknown, found.totals.macs) == ((), 7 * 2 * 24 * (5 + 6))
    assert (found.totals.params, found.totals.weight_bytes) == (24 * 11 + 48, 24 * 11 + 4 * 48)
    assert load(content, tmp_path).outputs[0].shape == (7, 1, 2, 6)


QUANTIZED = {
    "QLinearAdd": "xszxszsz",
    "QLinearMul": "xszxszsz",
    "QLinearSigmoid": "xszsz",
    "QLinearLeakyRelu": "xszsz",
    "QLinearSoftmax": "xszsz",
    "QLinearGlobalAveragePool": "xszsz",
    "QLinearConcat": "szxszxszxsz",
}


@pytest.mark.parametrize("operator", QUANTIZED)
def test_scales_and_zero_points_of_one_element_are_not_parameters(tmp_path: Path, operator: str) -> None:
    item = contrib(operator, list(QUANTIZED[operator]), **({"axis": 1} if operator == "QLinearConcat" else {}))
    scales = {"s": ones(1), "z": np.zeros(1, np.uint8)}
    assert counted(item, {"x": [1, 4, 8, 8]}, scales, tmp_path, dtypes=U8).totals.params == 0


def test_an_operator_is_entered_once() -> None:
    with pytest.raises(ValueError, match="twice"):
        lowers("Conv")(LOWERINGS["Conv"])
    assert len(FAMILIES) == len({family.__name__ for family in FAMILIES})


def test_every_standard_operator_is_lowered_or_listed_with_a_reason() -> None:
    from onnx import defs

    schemas = [schema for schema in defs.get_all_schemas() if schema.domain == "" and not schema.deprecated]
    handled = LOWERINGS.keys() | {"Constant", "If", "Loop", "Scan"}
    composite = {s.name for s in schemas if s.has_function or s.has_context_dependent_function}
    assert {schema.name for schema in schemas} - handled - composite == set()
