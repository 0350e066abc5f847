from __future__ import annotations

import json
import pickle

import pytest

from convcost.analysis import analyze_graph, layer_costs
from convcost.analysis.result import Storage
from convcost.errors import ShapeError
from convcost.graph import Cost, DType, Graph, Node, Origin, Role, Tensor, Weight
from convcost.graph.ops import Attention, Conv, Elementwise, Linear, Move, Unknown

X = Tensor(name="x", shape=(1, 4))
W = Weight(name="fc.weight", shape=(4, 4))
SPARE = Weight(name="spare.weight", shape=(7,))
MEAN = Weight(name="bn.running_mean", shape=(4,), role=Role.BUFFER)
INDEX = Weight(name="index", shape=(9,), dtype=DType.INT64, role=Role.CONSTANT)


def linear(name: str, data: Tensor, result: str) -> Node:
    return Node(
        name=name,
        op=Linear(in_features=4, out_features=4),
        operands=(data, Tensor.of(W)),
        outputs=(Tensor(name=result, shape=(1, 4)),),
    )


def twice(**labels: str) -> Graph:
    """One stored layer called two times, beside a layer that is never called."""
    first = linear("fc", X, "y")
    second = linear("fc_1", first.outputs[0], "z")
    return Graph(
        nodes=(first, second),
        inputs=(X,),
        outputs=second.outputs,
        weights=(W, SPARE, MEAN, INDEX),
        notes=("a note",),
        **labels,
    )


def test_a_layer_called_twice_costs_twice_and_stores_once() -> None:
    totals = analyze_graph(twice()).totals
    assert totals.macs == 2 * 16
    assert totals.params == 16 + 7
    assert totals.weight_bytes == 4 * (16 + 7)


def test_a_weight_is_charged_to_the_first_layer_that_reads_it() -> None:
    assert [layer.storage.params for layer in layer_costs(twice().nodes)] == [16, 0]


def test_unused_parameters_count_and_are_named() -> None:
    analysis = analyze_graph(twice())
    assert analysis.unused == Storage(params=7, buffers=4, weight_bytes=28)
    used = sum(layer.storage.params for layer in analysis.layers)
    assert used + analysis.unused.params == analysis.totals.params


def test_buffers_and_constants_are_no_parameters() -> None:
    assert Storage.of((MEAN, INDEX, W)) == Storage(params=16, buffers=4, weight_bytes=64)


def test_a_quantized_weight_takes_its_stored_bytes() -> None:
    assert Storage.of([Weight(name="q", shape=(5,), dtype=DType.INT4)]).weight_bytes == 3


def test_layers_add_up_to_the_totals() -> None:
    analysis = analyze_graph(twice())
    assert Cost.total(layer.cost for layer in analysis.layers) == analysis.totals.cost
    assert sum(layer.activation_bytes for layer in analysis.layers) == analysis.totals.activation_bytes == 32


def test_views_and_in_place_results_are_no_new_activations() -> None:
    view = Node(
        name="flatten",
        op=Move(action="flatten", shapes=((4,),), view=True),
        operands=(X,),
        outputs=(Tensor(name="flat", shape=(4,), alias="x"),),
    )
    totals = analyze_graph(Graph(nodes=(view,), inputs=(X,), outputs=view.outputs)).totals
    assert (totals.activation_bytes, totals.bytes_moved, totals.peak_activation_bytes) == (0, 0, 16)


def unknown(name: str, result: str) -> Node:
    return Node(
        name=name,
        op=Unknown(operator="my::op", reason="no lowering"),
        operands=(X,),
        outputs=(Tensor(name=result, shape=(1,)),),
    )


def test_an_unknown_op_makes_totals_a_lower_bound() -> None:
    graph = Graph(nodes=(unknown("a", "y"), linear("fc", X, "z"), unknown("b", "w")), inputs=(X,), weights=(W,))
    analysis = analyze_graph(graph)
    assert analysis.is_lower_bound
    (listed,) = analysis.unknown
    assert (listed.operator, listed.layers, listed.reason) == ("my::op", ("a", "b"), "no lowering")
    assert analysis.counted == 1
    assert analysis.totals.macs == 16


def test_a_known_graph_is_no_lower_bound() -> None:
    analysis = analyze_graph(twice())
    assert not analysis.is_lower_bound
    assert analysis.counted == len(analysis.layers) == 2


def attention(*, causal: bool, repeat: int = 1) -> Graph:
    q, k, v = (Tensor(name=name, shape=(2, 4, 14, 16)) for name in "qkv")
    node = Node(
        name="attn",
        op=Attention(causal=causal),
        operands=(q, k, v),
        outputs=(Tensor(name="o", shape=(2, 4, 14, 16)),),
        repeat=repeat,
    )
    return Graph(nodes=(node,), inputs=(q, k, v), outputs=node.outputs, notes=("first",))


def test_causal_attention_is_counted_dense_and_says_so() -> None:
    analysis = analyze_graph(attention(causal=True))
    assert analysis.totals.macs == 2 * (2 * 4 * 14 * 14 * 16)
    first, note = analysis.notes
    assert first == "first"
    assert "50,176" in note
    assert "26,880" in note


def test_activations_repeat_with_their_node() -> None:
    once, thrice = (analyze_graph(attention(causal=False, repeat=repeat)).totals for repeat in (1, 3))
    assert thrice.activation_bytes == 3 * once.activation_bytes > 0


def test_the_causal_count_repeats_with_its_node() -> None:
    (_, note) = analyze_graph(attention(causal=True, repeat=3)).notes
    assert "150,528" in note
    assert "80,640" in note


def test_attention_without_a_causal_mask_needs_no_note() -> None:
    assert analyze_graph(attention(causal=False)).notes == ("first",)


def test_an_analysis_survives_pickling() -> None:
    analysis = analyze_graph(twice(target="net.onnx", source="onnx"))
    assert pickle.loads(pickle.dumps(analysis)) == analysis


def test_json_keeps_exact_integers_in_the_promised_order() -> None:
    document = analyze_graph(twice(target="net.onnx", source="onnx")).to_json()
    order = list(document)
    promised = ["schema", "convcost", "source", "inputs", "convention", "totals", "coverage", "layers"]
    assert [key for key in order if key in promised] == promised
    assert document["source"] == {"target": "net.onnx", "kind": "onnx"}
    assert document["totals"] == {
        "macs": 32,
        "other_ops": 0,
        "flops": 64,
        "params": 23,
        "buffers": 4,
        "weight_bytes": 92,
        "activation_bytes": 32,
        "peak_activation_bytes": 32,
        "bytes_moved": 2 * (16 + 64 + 16),
    }
    assert document["coverage"] == {"ops": 2, "counted": 2, "unknown": [], "lower_bound": False}
    assert json.loads(json.dumps(document)) == document


def test_a_layer_in_json_says_what_it_is_and_where_its_name_came_from() -> None:
    conv = Conv(in_channels=2, out_channels=4, kernel=(3,), stride=(1,), pads=((1, 1),), dilation=(1,), groups=2)
    weight = Weight(name="stem.conv.weight", shape=conv.weight_shape)
    data = Tensor(name="x", shape=(1, 2, 5))
    node = Node(
        name="stem.conv",
        op=conv,
        operands=(data, Tensor.of(weight)),
        outputs=(Tensor(name="y", shape=(1, 4, 5)),),
        origin=Origin(operator="aten.conv1d"),
    )
    (layer,) = layer_costs((node,))
    row = layer.to_json()
    assert (row["name"], row["scope"], row["kind"], row["op"]) == ("stem.conv", "stem", "depthwise", "aten.conv1d")
    assert (row["inputs"], row["outputs"]) == ([[1, 2, 5]], [[1, 4, 5]])
    assert row["attributes"]["pads"] == [[1, 1]]
    assert (row["macs"], row["params"], row["latency"]) == (4 * 5 * 3, 12, None)


def test_without_a_framework_the_operator_is_our_own_word() -> None:
    add = Node(name="add", op=Elementwise(function="add"), operands=(X, X), outputs=(Tensor(name="y", shape=(1, 4)),))
    assert layer_costs((add,))[0].operator == "Elementwise"


def test_a_layer_that_comes_to_less_than_nothing_is_an_error_and_no_number():
    tensor = Tensor(name="x", shape=(2, 3))
    out = Tensor(name="y", shape=(2, 3))
    node = Node(name="odd", op=Elementwise(function="min", operations=-1), operands=(tensor,), outputs=(out,))
    with pytest.raises(ShapeError, match="'odd' comes to less than nothing"):
        layer_costs([node])
