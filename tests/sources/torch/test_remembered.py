"""What is made from memory is what torch would have made."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  # the name everyone reads it by

from convcost.sources.torch import graph_of
from convcost.sources.torch.call import Signature
from convcost.sources.torch.held import HeldBytes
from convcost.sources.torch.remembered import Remembered, is_rememberable
from convcost.sources.torch.storage import storage_of
from tests.sources.torch.networks import Calls, Residual

ATEN = torch.ops.aten


def meta(*shape, dtype=torch.float32):
    return torch.empty(shape, dtype=dtype, device="meta")


def form(tensor):
    return tensor.shape, tensor.stride(), tensor.dtype, tensor.device, tensor.is_inference()


# Each beside a call that differs from it in one thing alone.
PAIRS = {
    "shape": (ATEN.relu.default, (meta(2, 3),), (meta(3, 2),)),
    "strides": (ATEN.relu.default, (meta(2, 3, 4, 4),), (meta(2, 3, 4, 4).to(memory_format=torch.channels_last),)),
    "element type": (ATEN.relu.default, (meta(2),), (meta(2, dtype=torch.float16),)),
    "kind of number": (ATEN.mul.Tensor, (meta(2, dtype=torch.int32), 2), (meta(2, dtype=torch.int32), 2.0)),
    "truth and one": (ATEN.mul.Tensor, (meta(2, dtype=torch.bool), True), (meta(2, dtype=torch.bool), 1)),
    "numbers in a list": (ATEN.sum.dim_IntList, (meta(2, 3), [0]), (meta(2, 3), [1])),
    "several results": (ATEN.topk.default, (meta(5), 2), (meta(5), 3)),
    "convolution": (
        ATEN.conv2d.default,
        (meta(1, 3, 8, 8), meta(4, 3, 3, 3), None, [1, 1], [1, 1]),
        (meta(1, 3, 8, 8), meta(4, 3, 3, 3), None, [2, 2], [1, 1]),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_call_made_before_gives_new_tensors_of_the_same_form(name):
    function, *calls = PAIRS[name]
    remembered, signature = Remembered(HeldBytes(())), Signature(function)
    with torch.inference_mode():
        for _ in range(2):
            for args in calls:
                expected, given = function(*args), remembered.run(signature, args, {})
                pairs = zip(expected, given, strict=True) if isinstance(expected, tuple) else [(expected, given)]
                for ours, theirs in pairs:
                    assert form(ours) == form(theirs)
                    assert storage_of(theirs) not in {storage_of(x) for x in args if isinstance(x, torch.Tensor)}


def counted(function, *args):
    """How often torch was asked, in three alike calls."""
    asked = []
    signature = Signature(function)
    signature.function = lambda *args: asked.append(args) or function(*args)
    remembered = Remembered(HeldBytes(()))
    with torch.inference_mode():
        results = [remembered.run(signature, args, {}) for _ in range(3)]
    return len(asked), results


def test_torch_is_asked_once_for_alike_calls():
    times, results = counted(ATEN.relu.default, meta(2, 3))
    assert times == 1
    assert len({storage_of(result) for result in results}) == 3


@pytest.mark.parametrize("function", [ATEN.relu_.default, ATEN.dropout.default])
def test_what_is_written_in_place_or_left_alone_is_the_same_tensor(function):
    x = meta(2, 3)
    times, results = counted(function, x, *((0.5, False) if function is ATEN.dropout.default else ()))
    assert times == 1
    assert all(result is x for result in results)


@pytest.mark.parametrize(
    ("function", "args"),
    [
        (ATEN.embedding.default, (meta(4, 2), torch.zeros(3, dtype=torch.int64))),
        (ATEN.relu.default, (torch.ones(2, 3),)),  # has values
        (ATEN.mul.Tensor, (meta(2, 3, dtype=torch.complex64), 2)),  # may be conjugated lazily
    ],
)
def test_torch_is_asked_every_time_for_what_is_no_new_tensor_without_values(function, args):
    assert counted(function, *args)[0] == 3


def test_operators_that_may_give_views_or_are_not_torchs_own_are_not_remembered():
    assert is_rememberable(ATEN.linear.default)
    assert is_rememberable(ATEN.add_.Tensor)
    assert not is_rememberable(ATEN.view.default)
    assert not is_rememberable(ATEN.unsqueeze_.default)
    assert not is_rememberable(ATEN.relu.out)
    with torch.library._scoped_library("convcost_tests", "DEF") as library:
        library.define("same(Tensor x) -> Tensor")
        assert not is_rememberable(torch.ops.convcost_tests.same.default)


def test_where_gradients_may_be_recorded_nothing_is_remembered():
    remembered, times, weight = Remembered(HeldBytes(())), Signature(ATEN.mul.Tensor), nn.Parameter(meta(3))
    with torch.inference_mode():
        remembered.run(times, (weight, 2), {})
    assert remembered.run(times, (weight, 2), {}).requires_grad


NETWORKS = {
    "convolutions": (nn.Sequential(nn.Conv2d(3, 4, 1), Residual(), nn.Conv2d(8, 4, 1), Residual()), (1, 3, 8, 8)),
    "transformer": (nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 3), (5, 2, 8)),
    "products": (Calls(lambda self, x: sum(x @ x.mT for _ in range(3)) @ torch.einsum("ij,kj->ik", x, x)), (9, 4)),
    "in place": (Calls(lambda self, x: F.relu_(x.mul_(2) + 1).add_(x).add_(1), w=nn.Identity()), (2, 3)),
    "default type": (Calls(lambda self, x: (x.int() / 2, torch.set_default_dtype(torch.float64), x.int() / 2)), (2, 3)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_the_same_without_the_memory(name, monkeypatch):
    module, shape = NETWORKS[name]
    remembered = graph_of(module, (shape,))
    monkeypatch.setattr(Remembered, "run", lambda self, *call: self._asked(*call)[0])
    assert graph_of(module, (shape,)) == remembered
