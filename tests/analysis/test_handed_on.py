"""A weight belongs to the layer that works with it, also where that is given a copy."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from convcost.analysis import analyze_graph
from convcost.graph import DType, Graph, Node, Tensor, Weight
from convcost.graph.ops import Linear, Move
from convcost.sources.torch import graph_of

X = Tensor(name="x", shape=(2, 4))
W = Weight(name="fc.weight", shape=(4, 4))


def cast(name: str, data: Tensor) -> Node:
    half = Tensor(name=f"{name}:0", shape=data.shape, dtype=DType.BFLOAT16)
    return Node(name=name, op=Move(action="cast", shapes=(data.shape,)), operands=(data,), outputs=(half,))


def linear(name: str, data: Tensor, weight: Tensor) -> Node:
    op, result = Linear(in_features=4, out_features=4), Tensor(name=f"{name}:0", shape=(2, 4))
    return Node(name=name, op=op, operands=(data, weight), outputs=(result,))


def params(*nodes: Node) -> dict[str, int]:
    analysis = analyze_graph(Graph(nodes=nodes, inputs=(X,), weights=(W,)))
    assert sum(layer.storage.params for layer in analysis.layers) == analysis.totals.params
    return {layer.name: layer.storage.params for layer in analysis.layers}


def test_a_weight_that_is_copied_is_charged_to_the_first_layer_that_works_with_the_copy() -> None:
    first = cast("cast", Tensor.of(W))
    again = cast("again", first.outputs[0])
    users = [linear(name, X, again.outputs[0]) for name in ("fc", "fc_1")]
    assert params(first, again, *users) == {"cast": 0, "again": 0, "fc": 16, "fc_1": 0}


def test_a_copy_that_nothing_works_with_keeps_its_weight() -> None:
    assert params(cast("cast", Tensor.of(W))) == {"cast": 16}


def test_a_view_of_a_copy_that_nothing_works_with_takes_no_weight_from_the_layer_that_does() -> None:
    first = cast("cast", Tensor.of(W))
    assert params(first, cast("idle", first.outputs[0]), linear("fc", X, first.outputs[0])) == {
        "cast": 0,
        "idle": 0,
        "fc": 16,
    }


def test_whatever_reads_the_memory_that_a_weight_was_copied_into_works_with_it() -> None:
    class Changed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(4, 4))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            space = torch.empty_like(self.weight)
            space[:].copy_(self.weight)
            space[0].zero_()
            return x @ space

    layers = analyze_graph(graph_of(Changed(), ((2, 4),))).layers
    assert {layer.name: layer.storage.params for layer in layers if layer.storage.params} == {"matmul": 16}


def test_what_is_joined_with_an_input_is_no_copy() -> None:
    both = Tensor(name="both", shape=(6, 4))
    join = Node(name="cat", op=Move(action="cat", shapes=(both.shape,)), operands=(X, Tensor.of(W)), outputs=(both,))
    assert params(join, linear("fc", both, both)) == {"cat": 16, "fc": 0}


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_layers_under_autocast_keep_their_parameters(device: str) -> None:
    class Lowered(nn.Sequential):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            with torch.autocast(device, torch.bfloat16):
                return super().forward(x)

    module = Lowered(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(16, 8))
    layers = analyze_graph(graph_of(module, ((2, 3, 4, 4),))).layers
    assert {layer.name: layer.storage.params for layer in layers if layer.storage.params} == {"0": 112, "2": 136}
