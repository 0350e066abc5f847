"""`torch.autocast` inside a model: worked out without values, its types are those that torch gives with values."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  # the name everyone reads it by

from convcost.analysis import analyze_graph
from convcost.errors import SourceError
from convcost.sources.torch import graph_of
from tests.sources.torch.networks import Calls

MEMBERS = {
    "conv": nn.Conv2d(3, 8, 3),
    "norm": nn.BatchNorm2d(8),
    "fc": nn.Linear(8, 8),
    "single": nn.Linear(8, 8),
    "attn": nn.MultiheadAttention(8, 2),
}


def network(self, x):
    with torch.autocast("cpu", torch.bfloat16):
        y = F.relu(self.norm(self.conv(x))).flatten(2).transpose(1, 2)
        attended, _ = self.attn(y, y, self.fc(y))
        with torch.autocast("cpu", enabled=False):
            y = self.single(y.float())
        y = torch.cat([y, attended]) @ torch.ones(8, 4, device=x.device)
        products = torch.einsum("nij,nij->n", y, y), torch.addbmm(y[0], y, y[:, :4])
        return products, F.mse_loss(y, y), torch.softmax(y, -1), torch.fft.rfft(y), torch.stack([y.double(), y])


def with_values(self, x):
    """The same from real tensors, on which torch does the casting: the meta device has no value to compare."""
    return network(self, x) if x.max() > 0 else None


def work(graph):
    """What is done on which types, in whatever order operands are cast."""
    return Counter(
        (str(node.op), tuple((tensor.shape, tensor.dtype) for tensor in (*node.operands, *node.outputs)))
        for node in graph.nodes
    )


def types(function, *inputs, **members):
    """The element type of every result of a captured function."""
    graph = graph_of(Calls(function, **members), inputs)
    assert not any("real tensors" in note for note in graph.notes)
    return [tensor.dtype.value for tensor in graph.outputs]


def test_without_values_every_operator_has_the_types_that_it_has_with_values():
    apart, real = (graph_of(Calls(function, **MEMBERS), ((2, 3, 6, 6),)) for function in (network, with_values))
    assert "real tensors" in real.notes[0]
    assert "real tensors" not in apart.notes[0]
    asking = [op for op, _ in work(real) - work(apart)]
    assert ["max" in asking[0], "gt" in asking[1]] == [True, True]
    assert not work(apart) - work(real)


def test_autocast_halves_bytes_and_leaves_macs():
    def lowered(self, x):
        with torch.autocast("cpu", torch.bfloat16):
            return self.fc(x)

    plain, half = (
        graph_of(Calls(function, fc=nn.Linear(64, 32)), ((8, 64),))
        for function in (lambda self, x: self.fc(x), lowered)
    )
    layers = {node.name: node.cost for node in half.nodes}
    assert layers["fc"].macs == plain.nodes[0].cost.macs
    assert layers["fc"].bytes_moved * 2 == plain.nodes[0].cost.bytes_moved
    assert analyze_graph(half).totals.params == analyze_graph(plain).totals.params
    assert 'torch.autocast("cpu", torch.bfloat16)' in half.notes[0]
    assert not plain.notes


def on_a_gpu(self, x):
    with torch.autocast("cuda", torch.float16):
        y = self.fc(x)
        return y, torch.softmax(y, -1), y.sum(), y + 1, torch.exp(y), torch.cat([y, x]), F.layer_norm(y, (8,))


def test_autocast_for_a_gpu_goes_by_that_devices_rules():
    half, single = "float16", "float32"
    assert types(on_a_gpu, (2, 8), fc=nn.Linear(8, 8)) == [half, single, single, half, single, single, single]


def composed(self, x):
    """Calls that torch has no rule for, of calls that it has one for."""
    with torch.autocast("cpu", torch.bfloat16):
        y = self.fc(x)
        grid = F.affine_grid(x.view(1, 4, 4)[:, :2, :3], (1, 1, 2, 2), align_corners=False)
        return torch.einsum("ij,kj->ik", x, y), torch.inner(x, x), grid, self.lstm(x)[0], self.gru(x)[0], self.rnn(x)[0]


def test_what_torch_composes_of_cast_operators_gives_what_they_give():
    members = {"fc": nn.Linear(4, 4), "lstm": nn.LSTM(4, 4), "gru": nn.GRU(4, 4), "rnn": nn.RNN(4, 4)}
    with torch.inference_mode():
        real = [str(result.dtype) for result in composed(Calls(composed, **members), torch.ones(4, 4))]
    assert [f"torch.{given}" for given in types(composed, (4, 4), **members)] == real


def test_a_run_on_values_casts_what_such_a_call_is_composed_of_too():
    def reads_a_value(self, x):
        return torch.einsum("ij,kj->ik", x, self.fc(x)) if x.max() > 0 else None

    with torch.autocast("cpu", torch.bfloat16):
        graph = graph_of(Calls(reads_a_value, fc=nn.Linear(4, 4)), ((4, 4),))
    assert "real tensors" in graph.notes[0]
    assert graph.outputs[0].dtype.value == "bfloat16"


def whole_numbers_and_asked_types(self, x):
    with torch.autocast("cuda", torch.float16):
        mask, y = x > 0, self.fc(x)
        padded = F.conv2d(x[None, None], self.kernel, padding="same")
        larger = F.interpolate(padded, scale_factor=2, mode="bilinear")
        return mask.sum(), x.double().sum(), F.softmax(y, -1, dtype=torch.float64), padded, larger, self.lstm(x)[0]


def test_autocast_for_a_gpu_leaves_what_it_may_not_touch():
    members = {"fc": nn.Linear(4, 4), "kernel": nn.Parameter(torch.ones(1, 1, 3, 3)), "lstm": nn.LSTM(4, 4)}
    given = types(whole_numbers_and_asked_types, (4, 4), **members)
    assert given == ["int64", "float64", "float64", "float16", "float32", "float16"]


def test_autocast_for_a_gpu_holds_on_values_too():
    def reads_a_value(self, x):
        return self.fc(x) if x.max() > 0 else None

    def lowered(self, x):
        with torch.autocast("cuda", torch.float16):
            return reads_a_value(self, x)

    graph = graph_of(Calls(lowered, fc=nn.Linear(4, 4)), ((4, 4),))
    assert graph.outputs[0].dtype.value == "float16"


def test_where_a_model_refuses_inference_tensors_autocast_is_the_same():
    """There torch takes a convolution apart before any mode can see it."""

    def refuses(self, x):
        if torch.is_inference_mode_enabled():
            raise RuntimeError("Inference tensors cannot be saved for backward")
        with torch.autocast("cpu", torch.bfloat16):
            y = self.conv(x)
            return y, F.nll_loss(y, torch.zeros(1, 6, 6, dtype=torch.int64, device=x.device))

    assert types(refuses, (1, 3, 8, 8), conv=nn.Conv2d(3, 4, 3)) == ["bfloat16", "float32"]


def test_another_threads_autocast_is_none_of_ours():
    def other():
        with torch.autocast("cpu", torch.bfloat16):
            inside.set()
            done.wait(10)

    def watched(self, x):
        thread = threading.Thread(target=other)
        thread.start()
        inside.wait(10)
        result = self.fc(x)
        done.set()
        thread.join()
        return result

    inside, done = threading.Event(), threading.Event()
    assert types(watched, (2, 4), fc=nn.Linear(4, 4)) == ["float32"]


def test_a_weight_is_cast_once_in_one_context_and_again_in_the_next():
    def twice(self, x):
        with torch.autocast("cpu", torch.bfloat16):
            return self.fc(self.fc(x))

    for function, casts in ((twice, 1), (lambda self, x: twice(self, twice(self, x)), 2)):
        graph = graph_of(Calls(function, fc=nn.Linear(8, 8, bias=False)), ((2, 8),))
        assert sum(node.operands[0].name == "fc.weight" for node in graph.nodes) == casts


def test_autocast_around_the_capture_counts_as_one_inside():
    with torch.autocast("cpu", torch.bfloat16):
        assert types(lambda self, x: self.fc(x), (2, 8), fc=nn.Linear(8, 8)) == ["bfloat16"]
    assert types(lambda self, x: self.fc(x), (2, 8), fc=nn.Linear(8, 8)) == ["float32"]


def test_after_an_exception_inside_it_torch_has_its_own_functions_back():
    before = torch.set_autocast_enabled, torch.clear_autocast_cache, torch.cuda.is_bf16_supported

    def fails(self, x):
        with torch.autocast("cpu", torch.bfloat16):
            raise ValueError

    with pytest.raises(SourceError):
        graph_of(Calls(fails), ((2, 8),))
    assert (torch.set_autocast_enabled, torch.clear_autocast_cache, torch.cuda.is_bf16_supported) == before
    assert not torch.is_autocast_enabled("cpu")


def cells_one_by_one(self, x):
    """LSTMs that no kernel of a CPU does whole: their cells keep the type that their state begins in."""
    with torch.autocast("cpu", torch.bfloat16):
        packed = nn.utils.rnn.PackedSequence(x, torch.tensor([2, 1, 1]))
        given = torch.zeros(1, 2, device=x.device), torch.zeros(1, 4, device=x.device)
        return (
            *self.plain(packed)[1],
            *(each for data in (x, self.fc(x)) for each in self.projected(data)[1]),
            *self.projected(self.fc(x), given)[1],
        )


@pytest.mark.parametrize("recording", [torch.inference_mode, torch.enable_grad])
def test_an_lstm_of_single_cells_keeps_the_type_of_its_state(recording):
    members = {"fc": nn.Linear(4, 4), "plain": nn.LSTM(4, 4), "projected": nn.LSTM(4, 4, proj_size=2)}
    with recording():
        real = [str(result.dtype) for result in cells_one_by_one(Calls(cells_one_by_one, **members), torch.ones(4, 4))]
    assert len(set(real)) == 2
    graph = graph_of(Calls(cells_one_by_one, **members), ((4, 4),))
    assert [f"torch.{tensor.dtype.value}" for tensor in graph.outputs] == real


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_dropout_that_drops_nothing_is_no_work(device):
    class Lowered(nn.Module):
        def forward(self, x):
            with torch.autocast(device, torch.bfloat16):
                return F.dropout(x.mul(2), training=False)

    assert [node.name for node in graph_of(Lowered(), ((2, 4),)).nodes] == ["mul"]
