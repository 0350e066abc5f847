"""Attention's fused operators: keys and values kept for the next step, biases, and rotations are counted once."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx import NodeProto

from tests.sources.onnx.tiny import analyze, graph, load, node, ones

QKV = {name: [1, 6, 16] for name in "qkv"}
PAST = {"pk": [1, 4, 3, 4], "pv": [1, 4, 3, 4]}
Q, CACHE = 1 * 6 * 16 * 4, 1 * 4 * (3 + 6) * 4 * 4
"""Bytes of the query or the output, and of a key or a value with what came before."""


def contrib(operator: str, inputs: list[str], outputs: list[str], **attributes: object) -> NodeProto:
    return node(operator, inputs, outputs, domain="com.microsoft", **attributes)


@pytest.mark.parametrize(
    "item",
    [
        node("Attention", ["q", "k", "v", "", "pk", "pv"], ["y", "nk", "nv"], q_num_heads=4, kv_num_heads=4),
        contrib("MultiHeadAttention", ["q", "k", "v", "", "", "", "pk", "pv"], ["y", "nk", "nv"], num_heads=4),
        contrib("GroupQueryAttention", ["q", "k", "v", "pk", "pv"], ["y", "nk", "nv"], num_heads=4, kv_num_heads=4),
    ],
    ids=lambda item: item.op_type,
)
def test_keys_and_values_kept_for_the_next_step_are_in_memory_once(tmp_path: Path, item: NodeProto) -> None:
    found = analyze(graph([item], {**QKV, **PAST}, outputs=["y", "nk", "nv"]), tmp_path, opset=23)
    assert (found.unknown, found.totals.activation_bytes) == ((), Q + 2 * CACHE)
    # Each concatenation reads the old and the new and writes both; attention reads three and writes one.
    assert found.totals.bytes_moved == 2 * (CACHE + CACHE) + (Q + 2 * CACHE + Q)
    shapes = [tensor.shape for tensor in load(graph([item], {**QKV, **PAST}, outputs=["y", "nk"]), tmp_path).outputs]
    assert shapes == [(1, 6, 16), (1, 4, 9, 4)]


def test_keys_and_values_by_heads_are_kept_once_too(tmp_path: Path) -> None:
    item = node("Attention", ["q", "k", "v", "", "pk", "pv"], ["y", "nk", "nv"])
    inputs = {**{name: [1, 4, 6, 4] for name in "qkv"}, **PAST}
    found = analyze(graph([item], inputs, outputs=["y", "nk", "nv"]), tmp_path, opset=23)
    assert found.totals.activation_bytes == Q + 2 * CACHE
    assert found.totals.bytes_moved == 2 * (CACHE + CACHE) + (Q + 2 * CACHE + Q)


def test_without_a_past_the_kept_keys_are_the_given_ones(tmp_path: Path) -> None:
    item = contrib("GroupQueryAttention", ["q", "k", "v"], ["y", "nk", "nv"], num_heads=4, kv_num_heads=4)
    found = analyze(graph([item], QKV, outputs=["y", "nk", "nv"]), tmp_path)
    assert (found.unknown, found.totals.activation_bytes) == ((), Q)


def test_the_bias_of_multi_head_attention_is_read_and_belongs_to_it(tmp_path: Path) -> None:
    item = contrib("MultiHeadAttention", ["q", "k", "v", "b"], ["y"], num_heads=4)
    found = analyze(graph([item], QKV, {"b": ones(48)}), tmp_path)
    adds = [layer for layer in found.layers if layer.node.op.kind == "elementwise"]
    assert (found.unknown, found.totals.params, found.unused.params) == ((), 48, 0)
    assert [layer.cost.other_ops for layer in adds] == [96, 96, 96]
    assert [layer.cost.bytes_read for layer in adds] == [Q + 16 * 4] * 3
    assert found.totals.peak_activation_bytes == 3 * Q + Q  # and not the bias


def test_rotated_queries_and_keys_are_three_operations_each(tmp_path: Path) -> None:
    inputs = {**QKV, "seq": [1], "total": []}
    names = ["q", "k", "v", "", "", "seq", "total", "cos", "sin"]
    attributes = {"num_heads": 4, "kv_num_heads": 4}
    plain = analyze(graph([contrib("GroupQueryAttention", names[:7], ["y"], **attributes)], inputs), tmp_path)
    for half, turned in ((2, 96), (1, 48)):
        item = contrib("GroupQueryAttention", names, ["y"], do_rotary=1, **attributes)
        tables = {"cos": ones(32, half), "sin": ones(32, half)}
        found = analyze(graph([item], inputs, tables), tmp_path)
        assert found.totals.other_ops == plain.totals.other_ops + 2 * 3 * turned
        assert (found.unknown, found.totals.macs, found.totals.params) == ((), plain.totals.macs, 0)


def test_a_rotation_of_a_part_of_every_head_leaves_the_rest(tmp_path: Path) -> None:
    tables = {"cos": ones(32, 1), "sin": ones(32, 1)}
    item = node("RotaryEmbedding", ["x", "cos", "sin"], ["y"], num_heads=4, rotary_embedding_dim=2)
    found = analyze(graph([item], {"x": [1, 6, 16]}, tables), tmp_path, opset=23)
    assert (found.unknown, found.totals.other_ops) == ((), 3 * 6 * 8)


def test_query_key_and_value_side_by_side_are_taken_apart(tmp_path: Path) -> None:
    apart = contrib("GroupQueryAttention", ["q", "k", "v"], ["y"], num_heads=4, kv_num_heads=2)
    packed = contrib("GroupQueryAttention", ["x"], ["y"], num_heads=4, kv_num_heads=2)
    inputs = {"q": [1, 6, 16], "k": [1, 6, 8], "v": [1, 6, 8]}
    one = analyze(graph([packed], {"x": [1, 6, 32]}), tmp_path)
    assert (one.unknown, one.totals.cost) == ((), analyze(graph([apart], inputs), tmp_path).totals.cost)


def test_a_norms_sum_that_is_passed_on_is_in_memory_once(tmp_path: Path) -> None:
    skip = contrib("SkipLayerNormalization", ["x", "s", "g", "b"], ["y", "", "", "sum"])
    content = graph([skip], {"x": [2, 4, 8], "s": [2, 4, 8]}, {"g": ones(8), "b": ones(8)}, outputs=["y", "sum"])
    assert analyze(content, tmp_path).totals.activation_bytes == 2 * 2 * 4 * 8 * 4
