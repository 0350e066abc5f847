"""What PyTorch holds while it runs a model, as Python's own life of variables has it."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.distributed._tools.mem_tracker import MemTracker
from torch.nn import functional as F  # noqa: N812  # the name everyone reads it by

from convcost.alternatives import Standard
from convcost.alternatives.compare import rewrite_graph
from convcost.analysis import analyze_graph
from convcost.sources.torch import graph_of
from tests.sources.torch.networks import Calls, Residual

SIDE = 100
BYTES = 4 * SIDE  # of one tensor of SIDE floats


def held(call, *inputs, **members):
    return graph_of(Calls(call, **members), inputs or ((SIDE,),)).eager_peak_bytes


def test_a_variable_keeps_its_tensor_after_its_last_use():
    def keeps(self, x):
        first = x + 1
        second = first + 1
        third = second + 1
        return third + 1

    def rebinds(self, x):
        y = x + 1
        y = y + 1
        y = y + 1
        return y + 1

    assert held(keeps) == 5 * BYTES
    assert held(rebinds) == 3 * BYTES


def test_a_deleted_variable_is_free_again():
    def deletes(self, x):
        first = x + 1
        second = first + 1
        del first
        return second + 1

    assert held(deletes) == 3 * BYTES


def test_a_callers_variable_outlives_the_function_it_was_passed_to():
    chain = nn.Sequential(nn.Sigmoid(), nn.Sequential(nn.Sigmoid(), nn.Sigmoid(), nn.Sigmoid()))
    # the input, what the outer chain passed on, what the inner chain passes on, and the newest
    assert held(lambda self, x: self.chain(x), chain=chain) == 4 * BYTES


def test_the_callers_input_is_held_to_the_end():
    def reads_once(self, x):
        x = x.sum()
        return torch.ones(SIDE) * x

    assert held(reads_once) == BYTES + 4 + 2 * BYTES


def test_views_and_in_place_results_take_no_memory():
    assert held(lambda self, x: x.view(10, 10).t().add_(1)[2:]) == BYTES


def test_a_view_keeps_all_of_its_owner():
    def narrows(self, x):
        x = torch.ones(10 * SIDE)[:2]
        return x + 1

    assert held(narrows) == BYTES + 10 * BYTES + 2 * 4


def test_weights_and_their_views_are_not_held():
    assert held(lambda self, x: self.inner.weight[:1] @ x, inner=nn.Linear(SIDE, 50)) == BYTES + 4


def test_a_weight_handed_back_is_not_held():
    assert (
        held(lambda self, x: nn.functional.dropout(self.inner.weight, training=False) @ x, inner=nn.Linear(SIDE, 50))
        == BYTES + 4 * 50
    )


def test_memory_between_the_values_is_held_too():
    assert held(lambda self, x: x + torch.empty_strided((SIDE,), (2,))) == BYTES + 4 * (2 * SIDE - 1) + BYTES


def test_max_pooling_notes_the_place_of_every_maximum():
    assert held(lambda self, x: nn.functional.max_pool2d(x, 2), (1, 1, 8, 8)) == 4 * 64 + (4 + 8) * 16


@pytest.mark.parametrize(
    "call",
    [
        lambda self, x: x.to_sparse(),
        lambda self, x: torch.empty(0).resize_(SIDE) + x,
        lambda self, x: self.rnn(x.view(1, 1, SIDE))[0],
        lambda self, x: self.cell(x.view(1, SIDE))[0],
        lambda self, x: torch.cond(x.sum() > 0, lambda y: y + 1, lambda y: y - 1, (x,)),
        lambda self, x: F.mse_loss(x, x + 1),
        lambda self, x: F.logsigmoid(x),
        lambda self, x: F.max_pool1d(x.view(1, SIDE), 2),
        lambda self, x: F.scaled_dot_product_attention(*[x.view(1, 1, 10, 10)] * 2, x.view(1, 1, 10, 10)[..., :4]),
        lambda self, x: F.scaled_dot_product_attention(*[x.view(1, 1, 10, 10).mT] * 3),
    ],
    ids=["sparse", "resized", "recurrent", "cell", "branch", "loss", "sigmoid", "pool", "narrow-values", "turned"],
)
def test_what_cannot_be_followed_gives_no_figure(call):
    assert held(call, rnn=nn.GRU(SIDE, 2), cell=nn.LSTMCell(SIDE, 2)) is None


def test_a_softmax_in_another_type_casts_first():
    assert held(lambda self, x: x.softmax(0, dtype=torch.float64)) == 5 * BYTES


def test_a_product_copies_what_it_cannot_multiply_as_it_lies():
    def multiplies(self, x):
        return x @ torch.ones(2, 3, 5, 2)

    copy_of_x = 2 * 3 * 4 * 5
    assert held(multiplies, (2, 1, 4, 5)) == 4 * (2 * 4 * 5 + 2 * 3 * 5 * 2 + copy_of_x + 2 * 3 * 4 * 2)


NETWORKS = {
    "residual": (Residual(), (1, 4, 8, 8)),
    "attention": (nn.TransformerEncoderLayer(16, 2, 32, batch_first=True), (1, 5, 16)),
    "attention without heads": (
        Calls(lambda self, x: torch.nn.functional.scaled_dot_product_attention(x, x, x)),
        (2, 9, 4),
    ),
    "recurrent cell": (nn.RNNCell(8, 8), (4, 8)),
    "lists": (
        Calls(lambda self, x: torch.cat([x, *(each(x) for each in self.all)]), all=nn.ModuleList([nn.ELU()] * 3)),
        (4, 8),
    ),
    "pooling": (nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten()), (1, 3, 9, 9)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_torchs_own_tracker_agrees(name):
    module, shape = NETWORKS[name]
    module, given = module.eval(), torch.zeros(shape)
    tracker = MemTracker()
    tracker.track_external(module, given)
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), tracker:
            module(given)
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
    (peak,) = tracker.get_tracker_snapshot("peak").values()
    stored = sum(tensor.nbytes for tensor in (*module.parameters(), *module.buffers()))
    assert graph_of(module, (given,)).eager_peak_bytes == peak["Total"] - stored


def test_an_analysis_says_it_and_a_changed_network_does_not_claim_it():
    graph = graph_of(Residual(), ((1, 4, 8, 8),))
    assert analyze_graph(graph).to_json()["eager_peak_bytes"] == graph.eager_peak_bytes
    changed, _ = rewrite_graph(graph, graph.nodes[:1], Standard())
    assert analyze_graph(changed).eager_peak_bytes is None
