from __future__ import annotations

from dataclasses import replace

import pytest

from convcost.analysis import analyze_graph
from convcost.analysis.backward import backward_costs
from convcost.graph import Cost, DType, Graph, Node, Role, Tensor, Weight
from convcost.graph.ops import Activation, Attention, Conv, Einsum, Gather, Linear, MatMul, Move, Op, Recurrent, Reduce


def node(name: str, op: Op, operands: list[Tensor], *, repeat: int = 1, dtype: DType = DType.FLOAT32) -> Node:
    shapes = op.output_shapes(tuple(tensor.shape for tensor in operands))
    outputs = tuple(Tensor(name=f"{name}:{i}", shape=shape, dtype=dtype) for i, shape in enumerate(shapes))
    return Node(name=name, op=op, operands=tuple(operands), outputs=outputs, repeat=repeat)


def graph(*nodes: Node) -> Graph:
    """A graph around nodes: what none of them writes is an input, what they read from storage is stored."""
    written = {tensor.name for one in nodes for tensor in one.outputs}
    read = {tensor.name: tensor for one in nodes for tensor in one.inputs}
    weights = {weight.name: weight for one in nodes for weight in one.weights}
    inputs = tuple(tensor for name, tensor in read.items() if name not in written)
    return Graph(nodes=nodes, inputs=inputs, weights=tuple(weights.values()))


def parameter(name: str, *shape: int) -> Tensor:
    return Tensor.of(Weight(name=name, shape=shape))


def conv(name: str, data: Tensor, *, groups: int = 1) -> Node:
    op = Conv(
        in_channels=8,
        out_channels=8,
        kernel=(3, 3),
        stride=(1, 1),
        pads=((1, 1), (1, 1)),
        dilation=(1, 1),
        groups=groups,
    )
    return node(name, op, [data, parameter(f"{name}.weight", *op.weight_shape)])


IMAGE = Tensor(name="image", shape=(1, 8, 5, 5))


@pytest.mark.parametrize("groups", [1, 2, 8])
def test_the_backward_pass_of_a_convolution_is_twice_the_forward_also_when_grouped(groups: int) -> None:
    first = conv("a", IMAGE, groups=groups)
    second = conv("b", first.outputs[0], groups=groups)
    forward = 25 * 8 * (8 // groups) * 9
    costs = backward_costs(graph(first, second))
    assert costs["a"].macs == forward  # the first layer has no input gradient
    assert costs["b"].macs == 2 * forward


def test_the_first_layer_has_an_input_gradient_when_its_input_requires_one() -> None:
    first = conv("a", IMAGE)
    (cost,) = backward_costs(graph(first), inputs_need_gradients=True).values()
    assert cost.macs == 2 * first.cost.macs


def test_whole_numbers_want_no_gradient() -> None:
    tokens = Tensor(name="tokens", shape=(10,), dtype=DType.INT64)
    lookup = node("embed", Gather(), [parameter("embed.weight", 100, 32), tokens])
    assert backward_costs(graph(lookup), inputs_need_gradients=True) == {"embed": Cost()}


def test_buffers_want_no_gradient() -> None:
    data = Tensor(name="x", shape=(3, 4))
    mask = Tensor.of(Weight(name="mask", shape=(4, 5), role=Role.BUFFER))
    assert backward_costs(graph(node("masked", MatMul(), [data, mask]))) == {}


def test_weights_that_training_does_not_change_want_no_gradient() -> None:
    data = Tensor(name="x", shape=(3, 4))
    frozen = Tensor.of(Weight(name="w", shape=(4, 5), trainable=False))
    assert backward_costs(graph(node("fixed", MatMul(), [data, frozen]))) == {}


def test_no_gradient_passes_a_detached_value() -> None:
    first = conv("a", IMAGE)
    cut = replace(
        node("cut", Move(action="detach", shapes=((1, 8, 5, 5),), view=True), [first.outputs[0]]), stops_gradients=True
    )
    second = conv("b", cut.outputs[0])
    costs = backward_costs(graph(first, cut, second))
    assert "cut" not in costs
    assert costs["b"].macs == second.cost.macs


def test_work_done_with_gradients_off_has_none() -> None:
    off = replace(conv("a", IMAGE), stops_gradients=True)
    second = conv("b", off.outputs[0])
    assert {name: cost.macs for name, cost in backward_costs(graph(off, second)).items()} == {"b": second.cost.macs}


def test_a_change_in_place_with_gradients_off_does_not_stop_those_of_what_was_changed() -> None:
    first = conv("a", IMAGE)
    (value,) = first.outputs
    changed = replace(value, name="clamped", alias=value.name)
    clamp = Node(
        name="clamp", op=Activation(function="relu"), operands=(value,), outputs=(changed,), stops_gradients=True
    )
    second = conv("b", changed)
    costs = backward_costs(graph(first, clamp, second))
    assert "clamp" not in costs
    assert costs["b"].macs == 2 * second.cost.macs


def test_no_gradient_comes_back_to_what_no_output_depends_on() -> None:
    used, unused = conv("used", IMAGE), conv("unused", IMAGE)
    network = replace(graph(used, unused), outputs=used.outputs)
    assert set(backward_costs(network)) == {"used"}


def test_a_network_that_gives_classes_is_trained_on_what_it_derives_them_from() -> None:
    first = conv("a", IMAGE)
    classes = node("classes", Reduce(function="argmax", axes=(1,)), [first.outputs[0]], dtype=DType.INT64)
    assert set(backward_costs(replace(graph(first, classes), outputs=classes.outputs))) == {"a"}


def test_no_gradient_passes_whole_numbers() -> None:
    first = conv("a", IMAGE)
    rounded = node("round", Move(action="cast", shapes=((1, 8, 5, 5),)), [first.outputs[0]], dtype=DType.INT64)
    back = node("float", Move(action="cast", shapes=((1, 8, 5, 5),)), [rounded.outputs[0]])
    assert set(backward_costs(graph(first, rounded, back))) == {"a"}


def test_other_ops_are_counted_once_more() -> None:
    first = conv("a", IMAGE)
    relu = node("relu", Activation(function="relu"), [first.outputs[0]])
    assert backward_costs(graph(first, relu))["relu"] == Cost(other_ops=200)


def test_a_repeated_node_repeats_its_gradients() -> None:
    data, weight = Tensor(name="x", shape=(3, 4)), parameter("w", 5, 4)
    once = node("fc", Linear(in_features=4, out_features=5), [data, weight])
    thrice = node("fc", Linear(in_features=4, out_features=5), [data, weight], repeat=3)
    assert backward_costs(graph(thrice))["fc"].macs == 3 * backward_costs(graph(once))["fc"].macs == 3 * 60


@pytest.mark.parametrize(
    ("wanting", "products"),
    [
        # Forward: scores s = q·kᵀ (E = 2 per score), then p·v (E_v = 5 per score).
        ("qkv", 2 + 2 + 5 + 5),  # dq, dk, dv, dp
        ("v", 5),  # dv alone
        ("q", 2 + 5),  # dp, then dq
        ("k", 2 + 5),
        ("qk", 2 + 2 + 5),
    ],
)
def test_attention_has_two_gradients_for_each_of_its_products(wanting: str, products: int) -> None:
    shapes = {"q": (1, 1, 3, 2), "k": (1, 1, 4, 2), "v": (1, 1, 4, 5)}
    operands = [
        parameter(name, *shape) if name in wanting else Tensor(name=name, shape=shape) for name, shape in shapes.items()
    ]
    assert backward_costs(graph(node("attn", Attention(), operands)))["attn"].macs == 3 * 4 * products


def test_a_recurrent_layer_on_data_has_no_input_gradient_in_its_first_layer() -> None:
    op = Recurrent(cell="lstm", input_size=8, hidden_size=16)
    data, weight = Tensor(name="x", shape=(5, 1, 8)), parameter("rnn.weight", 4 * 16, 8)
    backward = backward_costs(graph(node("rnn", op, [data, weight])))["rnn"].macs
    by_weight, by_state = 5 * 4 * 16 * (8 + 16), 5 * 4 * 16 * 16
    assert backward == by_weight + by_state


def test_a_chained_einsum_has_gradients_pair_by_pair() -> None:
    operands = [parameter("a", 2, 3), Tensor(name="b", shape=(3, 4)), parameter("c", 4, 5)]
    backward = backward_costs(graph(node("chain", Einsum(equation="ij,jk,kl->il"), operands)))["chain"].macs
    first_pair, second_pair = 2 * 3 * 4, 2 * 4 * 5
    assert backward == first_pair + 2 * second_pair  # b wants none; the joined a·b does


def test_an_analysis_reports_the_backward_pass_beside_the_forward_one() -> None:
    first = conv("a", IMAGE)
    network = graph(first, conv("b", first.outputs[0]))
    plain, trained = analyze_graph(network), analyze_graph(network, backward=True)
    assert plain.backward is None
    assert plain.to_json()["backward"] is None
    assert trained.totals == plain.totals
    assert trained.backward is not None
    assert trained.backward.macs == 3 * first.cost.macs
    assert sum(layer.backward.macs for layer in trained.layers if layer.backward) == trained.backward.macs
    assert trained.to_json()["convention"] == {"flops_per_mac": 2, "df": "output", "backward": True}
