from __future__ import annotations

import pytest

from convcost.graph import Cost, Graph, Node, Tensor, Weight, distinct_weights
from convcost.graph.ops import Activation, Linear

X = Tensor(name="x", shape=(1, 4))
W = Weight(name="fc.weight", shape=(3, 4))


def linear(name: str, data: Tensor, weight: Weight, result: str, *, repeat: int = 1) -> Node:
    return Node(
        name=name,
        op=Linear(in_features=4, out_features=3),
        operands=(data, Tensor.of(weight)),
        outputs=(Tensor(name=result, shape=(1, 3)),),
        repeat=repeat,
    )


def test_a_graph_of_what_was_written_stands() -> None:
    graph = Graph(
        nodes=(linear("fc", X, W, "y"),), inputs=(X,), outputs=(Tensor(name="y", shape=(1, 3)),), weights=(W,)
    )
    assert graph.nodes[0].inputs == (X,)
    assert graph.nodes[0].weights == (W,)


def test_reading_what_nothing_wrote_is_refused() -> None:
    with pytest.raises(ValueError, match="node 'fc' reads 'x', which nothing has written"):
        Graph(nodes=(linear("fc", X, W, "y"),), inputs=(), weights=(W,))


def test_reading_before_writing_is_refused() -> None:
    y = Tensor(name="y", shape=(1, 3))
    relu = Node(name="relu", op=Activation(function="relu"), operands=(y,), outputs=(Tensor(name="z", shape=(1, 3)),))
    with pytest.raises(ValueError, match="node 'relu' reads 'y'"):
        Graph(nodes=(relu, linear("fc", X, W, "y")), inputs=(X,), weights=(W,))


def test_writing_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="node 'again' writes 'y' a second time"):
        Graph(nodes=(linear("fc", X, W, "y"), linear("again", X, W, "y")), inputs=(X,), weights=(W,))
    with pytest.raises(ValueError, match="node 'fc' writes 'x' a second time"):
        Graph(nodes=(linear("fc", X, W, "x"),), inputs=(X,), weights=(W,))


def test_two_nodes_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two nodes are named 'fc'"):
        Graph(nodes=(linear("fc", X, W, "y"), linear("fc", X, W, "z")), inputs=(X,), weights=(W,))


def test_a_weight_the_graph_does_not_store_is_refused() -> None:
    with pytest.raises(ValueError, match=r"weight 'fc\.weight', which the graph does not store"):
        Graph(nodes=(linear("fc", X, W, "y"),), inputs=(X,))


def test_an_output_nothing_wrote_is_refused() -> None:
    with pytest.raises(ValueError, match="the graph's output reads 'y'"):
        Graph(nodes=(), inputs=(X,), outputs=(Tensor(name="y", shape=()),))


def test_a_weight_listed_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"two weights are named 'fc\.weight'"):
        Graph(nodes=(), inputs=(X,), weights=(W, Weight(name="fc.weight", shape=(5,))))


def test_sharing_the_memory_of_nothing_is_refused() -> None:
    view = Tensor(name="v", shape=(1, 4), alias="w")
    relu = Node(name="relu", op=Activation(function="relu"), operands=(X,), outputs=(view,))
    with pytest.raises(ValueError, match="'v' shares the memory of 'w', which nothing has written"):
        Graph(nodes=(relu,), inputs=(X,))


def test_a_repeated_node_costs_every_repetition() -> None:
    once, thrice = linear("fc", X, W, "y"), linear("fc", X, W, "y", repeat=3)
    assert once.cost == Cost(macs=12, bytes_read=16 + 48, bytes_written=12)
    assert thrice.cost == 3 * once.cost


@pytest.mark.parametrize(("name", "scope"), [("layer1.0.conv1", "layer1.0"), ("fc", ""), ("", "")])
def test_the_scope_is_the_module_around_the_layer(name: str, scope: str) -> None:
    assert linear(name, X, W, "y").scope == scope


def test_distinct_weights_keep_their_order() -> None:
    other = Weight(name="a", shape=())
    assert distinct_weights((Tensor.of(W), X, Tensor.of(other), Tensor.of(W))) == (W, other)
