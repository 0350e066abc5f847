"""Other counters, run on real modules."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from convcost.analysis.cross_check import CrossCheck
from convcost.errors import MissingDependencyError, SourceError, UsageError
from convcost.sources import Request
from convcost.targets.cross_check import cross_checked

SAMPLES = Path(__file__).parents[2] / "sample_configs"

# Everything the peers are known to miss or add, each in a module of its own, with shapes that tell them apart.
FACTORIES = """
import torch
from torch import nn
from torch.nn import functional as F

class Norm(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
    def forward(self, x):
        return self.bn(self.conv(x))

def norm():
    return Norm(), (torch.ones(1, 3, 6, 6),)

def same():
    return nn.Conv2d(3, 4, 3, padding="same"), (torch.ones(1, 3, 6, 6),)

def unbatched():
    return nn.Conv2d(3, 4, 3), (torch.ones(3, 6, 6),)

def lstm():
    return nn.LSTM(5, 6), (torch.ones(7, 1, 5),)

class Sdpa(nn.Module):
    def forward(self, x):
        return F.scaled_dot_product_attention(x, x, x)

def sdpa():
    return Sdpa(), (torch.ones(1, 2, 5, 4),)

class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.mha = nn.MultiheadAttention(8, 2, batch_first=True)
    def forward(self, x):
        return self.mha(x, x, x, need_weights=False)[0]

def attention():
    return Attention(), (torch.ones(1, 5, 8),)

class Vector(nn.Module):
    def forward(self, matrix, vector):
        return torch.mv(matrix, vector)

def vector():
    return Vector(), {"vector": torch.ones(6), "matrix": torch.ones(5, 6)}

class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.second = nn.Sequential(self.first, nn.ReLU())
    def forward(self, x):
        return self.second(self.first(x))

def shared():
    return Shared(), (torch.ones(2, 4),)

class ComplexProduct(nn.Module):
    def forward(self, x):
        return x.to(torch.complex64) @ x.to(torch.complex64)

def complex_product():
    return ComplexProduct(), (torch.ones(3, 3),)

class Stubborn(nn.Module):
    def forward(self, x):
        if x.sum() > 0:
            return torch.mv(x, x[0])
        return x

def stubborn():
    return Stubborn(), (torch.ones(3, 3),)

class Breaking(nn.Module):
    def forward(self, x):
        if torch.jit.is_tracing():
            raise ValueError("not like this")
        return x @ x

def breaking():
    return Breaking(), (torch.ones(3, 3),)
"""


@pytest.fixture
def factories(tmp_path: Path) -> str:
    path = tmp_path / "factories.py"
    path.write_text(FACTORIES)
    return str(path)


def reasons(check: CrossCheck) -> dict[str, int]:
    """Every reason with its amount, all modules together; what is left is `unexplained`."""
    found: dict[str, int] = {}
    for each in check.disagreements:
        for reason in each.reasons:
            found[reason.text] = found.get(reason.text, 0) + reason.amount
        if each.unexplained:
            found["unexplained"] = found.get("unexplained", 0) + each.unexplained
    return found


@pytest.mark.parametrize("target", ["torchvision:resnet18", "torchvision:mobilenet_v2", "torchvision:vit_b_16"])
def test_torchs_counter_agrees_on_every_module_of_a_network_it_counts_right(target: str) -> None:
    check = cross_checked(Request(target=target), "torch")
    assert check.disagreements == ()
    assert check.opinion.total == check.analysis.totals.macs > 0
    assert check.opinion.ran_on == "meta"


def test_fvcore_differs_on_resnet_by_its_norms_and_nothing_else() -> None:
    check = cross_checked(Request(target="torchvision:resnet18"), "fvcore")
    activations = 2_483_712  # elements of all that BatchNorm writes: 112²·64 + 4·56²·64 + 5·28²·128 + …
    pooled = 512 * 7 * 7
    assert reasons(check) == {
        "counts batch_norm, which is no product": 2 * activations,
        "counts adaptive_avg_pool2d, which is no product": pooled,
    }
    assert check.agreeing == 21


@pytest.mark.parametrize(
    ("name", "peer", "expected"),
    [
        ("norm", "torch", {}),
        ("norm", "fvcore", {"counts batch_norm, which is no product": 2 * 4 * 4 * 4}),
        ("same", "torch", {}),
        ("same", "fvcore", {"has no rule for _convolution_mode": -36 * 4 * 27}),
        ("unbatched", "torch", {}),
        ("unbatched", "fvcore", {}),
        ("lstm", "torch", {}),
        ("lstm", "fvcore", {"has no rule for lstm": -7 * 24 * (5 + 6)}),
        ("sdpa", "torch", {}),
        ("sdpa", "fvcore", {"has no rule for scaled_dot_product_attention": -2 * 2 * 5 * 5 * 4}),
        ("attention", "torch", {}),
        (
            "attention",
            "fvcore",
            {"cannot see into torch's fast path (_native_multi_head_attention)": -(4 * 5 * 64 + 2 * 25 * 8)},
        ),
        ("vector", "torch", {"has no rule for mv": -30}),
        ("vector", "fvcore", {"has no rule for mv": -30}),
        ("shared", "torch", {}),
        ("shared", "fvcore", {}),
    ],
)
def test_a_known_mistake_is_named_and_measured(factories: str, name: str, peer: str, expected: dict[str, int]) -> None:
    check = cross_checked(Request(target=f"{factories}:{name}"), peer)
    assert reasons(check) == expected
    assert check.opinion.total == check.analysis.totals.macs + sum(expected.values())


@pytest.mark.parametrize("peer", ["fvcore", "torch"])
def test_what_is_not_known_is_called_unexplained(factories: str, peer: str) -> None:
    check = cross_checked(Request(target=f"{factories}:complex_product"), peer)
    assert reasons(check) == {"unexplained": 27 - 4 * 27}  # one complex product is four real ones
    assert check.unexplained == 1


def test_a_model_that_needs_values_is_given_them(factories: str) -> None:
    check = cross_checked(Request(target=f"{factories}:stubborn"), "torch")
    assert check.opinion.ran_on == "cpu"
    assert reasons(check) == {"has no rule for mv": -9}


def test_a_peer_that_fails_is_one_error(factories: str) -> None:
    with pytest.raises(SourceError, match=r"fvcore could not count '.*:breaking': ValueError: not like this"):
        cross_checked(Request(target=f"{factories}:breaking"), "fvcore")


@pytest.mark.parametrize("name", ["norm", "breaking"])
def test_torch_is_as_it_was_before(factories: str, name: str) -> None:
    state, fast = torch.random.get_rng_state(), torch.backends.mha.get_fastpath_enabled()
    first, second = (_tried(f"{factories}:{name}") for _ in range(2))
    assert first == second
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.backends.mha.get_fastpath_enabled() == fast
    assert torch.is_grad_enabled()


def _tried(target: str) -> str:
    try:
        return str(cross_checked(Request(target=target), "fvcore").to_json())
    except SourceError as error:
        return error.message


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (str(SAMPLES / "layer.yaml"), "is not a PyTorch model"),
        (str(SAMPLES / "onnx" / "resnet18.onnx"), "is not a PyTorch model"),
        ("report.json", "is not a PyTorch model"),
        ("git:HEAD:net.py:build", "is not a PyTorch model"),
        ("model.pt2", "is a saved program"),
    ],
)
def test_only_modules_built_by_python_have_a_second_opinion(target: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        cross_checked(Request(target=target), "torch")
    assert caught.value.hint


def test_without_fvcore_there_is_a_hint(factories: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fvcore", None)
    monkeypatch.setitem(sys.modules, "fvcore.nn", None)
    with pytest.raises(MissingDependencyError, match="needs fvcore"):
        cross_checked(Request(target=f"{factories}:norm"), "fvcore")
