"""The primitives that torch writes operators in, which programs that were decomposed to the end are made of."""

from __future__ import annotations

import pytest
import torch
from torch import _prims
from torch import _refs as refs
from torch._ops import OpOverloadPacket

from convcost.graph import Cost
from convcost.sources.torch import graph_of
from convcost.sources.torch.plan import Plan
from tests.sources.torch.networks import Calls

ANSWERS = {"item", "maximum_value", "minimum_value"}  # numbers, not tensors
TOKENS = {"_make_token", "_sink_tokens"}  # an order of calls, without data
# Its work hangs on how fast it converges, whatever it is called.
DECOMPOSITIONS = {"svd"}


def cost(call, *inputs):
    graph = graph_of(Calls(call), inputs or ((3, 4),))
    assert {node.origin.operator.partition(".")[0] for node in graph.nodes} <= {"aten", "prims"}
    return Cost.total(node.cost for node in graph.nodes)


def test_every_primitive_that_gives_a_tensor_is_lowered():
    # Not whatever a compiler of torch's has added to them since.
    packets = {name: getattr(torch.ops.prims, name, None) for name in _prims.__all__}
    primitives = {name: each.default for name, each in packets.items() if isinstance(each, OpOverloadPacket)}
    assert len(primitives) > 100
    missing = {name for name, primitive in primitives.items() if Plan(primitive).lowering is None}
    assert missing == ANSWERS | TOKENS | DECOMPOSITIONS


@pytest.mark.parametrize(
    ("by_primitives", "by_operators"),
    [
        (lambda self, x: refs.add(x, x), lambda self, x: x + x),
        (lambda self, x: refs.tanh(x), lambda self, x: x.tanh()),
        (lambda self, x: refs.eq(x, x), lambda self, x: torch.eq(x, x)),
        (lambda self, x: refs.sum(x, 1), lambda self, x: x.sum(1)),
        (lambda self, x: refs.amax(x), lambda self, x: x.amax()),
        (lambda self, x: refs.var(x, 1), lambda self, x: x.var(1)),
        (lambda self, x: refs.to(x, torch.float16), lambda self, x: x.to(torch.float16)),
        (lambda self, x: refs.flip(x, (0,)), lambda self, x: x.flip(0)),
        (lambda self, x: refs.broadcast_to(x, (5, 3, 4)), lambda self, x: x.broadcast_to(5, 3, 4)),
        (lambda self, x: refs.arange(6, device=x.device), lambda self, x: torch.arange(6, device=x.device)),
        (lambda self, x: refs.fft.fft(x), lambda self, x: torch.fft.fft(x)),
        (lambda self, x: refs.fft.rfft(x), lambda self, x: torch.fft.rfft(x)),
    ],
)
def test_a_primitive_costs_what_the_operator_does_that_is_written_in_it(by_primitives, by_operators):
    assert cost(by_primitives) == cost(by_operators)
