"""Nodes of one operator and one shape are lowered once, and each keeps what is its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convcost.graph import Graph
from convcost.sources.onnx.build import GraphBuilder
from tests.sources.onnx.tiny import graph, load, node

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
    new = GraphBuilder._new_operator
    monkeypatch.setattr(
        GraphBuilder,
        "_new_operator",
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
