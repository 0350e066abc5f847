"""The backward pass of whole models: against torch's own counter where that is right, against formulas elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  # the name everyone reads it by
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode

import convcost
from convcost.errors import UsageError
from convcost.graph import FLOPS_PER_MAC

MOBILENET_V2 = str(Path(__file__).parents[2] / "sample_configs" / "onnx" / "mobilenet_v2.onnx")
FORWARD = 300_774_272
FIRST_LAYER = 112 * 112 * 32 * 3 * 9


def counted_by_torch(module: nn.Module, *shape: int) -> int:
    """MACs of a real forward and backward pass, for networks without grouped convolutions."""
    counter = FlopCounterMode(display=False)
    with counter:
        module(torch.empty(shape, device="meta")).sum().backward()
    return counter.get_total_flops() // FLOPS_PER_MAC


def without_values(name: str) -> nn.Module:
    import torchvision.models

    with torch.device("meta"):
        return torchvision.models.get_model(name, weights=None).eval()


@pytest.mark.parametrize("name", ["resnet18", "vgg11", "squeezenet1_1", "vit_b_16"])
def test_a_dense_network_trains_on_the_macs_that_torch_counts(name: str) -> None:
    module = without_values(name)
    trained = convcost.analyze(module, inputs=((2, 3, 224, 224),), backward=True)
    assert trained.backward is not None
    torch.backends.mha.set_fastpath_enabled(False)  # torch's counter does not see into it
    try:
        assert trained.totals.macs + trained.backward.macs == counted_by_torch(module, 2, 3, 224, 224)
    finally:
        torch.backends.mha.set_fastpath_enabled(True)


@pytest.mark.parametrize("target", ["torchvision:mobilenet_v2", MOBILENET_V2])
def test_mobilenet_v2_trains_on_twice_its_forward_pass_less_the_first_input_gradient(target: str) -> None:
    trained = convcost.analyze(target, backward=True)
    assert trained.totals.macs == FORWARD
    assert trained.backward is not None
    assert trained.backward.macs == 2 * FORWARD - FIRST_LAYER == 590_710_528


@pytest.mark.parametrize("groups", [1, 2, 4, 8])
def test_groups_divide_both_gradients(groups: int) -> None:
    first, second = (nn.Conv2d(8, 8, 3, padding=1, groups=groups, bias=False) for _ in range(2))
    trained = convcost.analyze(nn.Sequential(first, second), inputs=((1, 8, 6, 6),), backward=True)
    product = 6 * 6 * 8 * (8 // groups) * 9
    assert [layer.backward.macs for layer in trained.layers if layer.backward] == [product, 2 * product]


def trained_macs(module: nn.Module, *shape: int, dtype: torch.dtype = torch.float32) -> int:
    trained = convcost.analyze(module, inputs=(torch.zeros(shape, dtype=dtype),), backward=True)
    assert trained.backward is not None
    return trained.backward.macs


def test_a_frozen_layer_has_no_weight_gradient() -> None:
    module = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))
    module[0].requires_grad_(False)
    assert trained_macs(module, 2, 8) == 2 * 8 * 4


def test_a_gradient_passes_through_a_frozen_layer() -> None:
    module = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))
    module[2].requires_grad_(False)
    assert trained_macs(module, 2, 8) == 2 * 8 * 8 + 2 * 8 * 4


def test_a_parameter_made_without_gradients_around_it_is_still_trained() -> None:
    with torch.no_grad():
        module = nn.Linear(8, 4)
        assert trained_macs(module, 2, 8) == 2 * 8 * 4


def test_a_complex_product_trains_on_four_real_ones() -> None:
    module = nn.Sequential(nn.Linear(8, 8, dtype=torch.complex64), nn.Linear(8, 4, dtype=torch.complex64))
    products = 2 * 8 * 8 + 2 * (2 * 8 * 4)
    assert trained_macs(module, 2, 8, dtype=torch.complex64) == 4 * products == 1024


class Filled(nn.Module):
    """Writes a layer's result into half of a fresh buffer, which the next layer reads whole."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(8, 8), nn.Linear(16, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        buffer = x.new_zeros(x.shape[0], 16)
        buffer[:, :8] = self.a(x)
        return self.b(buffer)


def test_a_buffer_written_in_place_carries_the_gradient_of_what_was_written() -> None:
    by_weight_a, by_weight_b, by_buffer = 2 * 8 * 8, 2 * 16 * 4, 2 * 16 * 4
    assert trained_macs(Filled(), 2, 8) == by_weight_a + by_weight_b + by_buffer == 384


class Halves(nn.Module):
    """Two layers, of which `between` says how the first one's result reaches the second."""

    def __init__(self, between: Callable[[nn.Linear, torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.a, self.b, self.between = nn.Linear(8, 8), nn.Linear(8, 4), between

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.b(self.between(self.a, x))


class Doubled(torch.autograd.Function):
    """Its forward runs with gradients off, and yet they pass."""

    @staticmethod
    def forward(context: Any, x: torch.Tensor) -> torch.Tensor:
        return x * 2

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> torch.Tensor:
        return gradient * 2


@torch.no_grad()
def without_gradients(a: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    return a(x)


def with_gradients_set_off(a: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    with torch.set_grad_enabled(False):
        return a(x)


def in_inference_mode(a: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        y = a(x)
    return y.clone()


def with_a_function_inside(a: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return Doubled.apply(a(x))


def with_fixed_weights(a: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    return F.linear(x, a.weight.detach(), a.bias.data)


def with_weights_turned_without_gradients(a: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        turned = a.weight.t()
    return x @ turned


STOPPING = [
    without_gradients,
    with_gradients_set_off,
    in_inference_mode,
    with_a_function_inside,
    with_fixed_weights,
    with_weights_turned_without_gradients,
    lambda a, x: a(x).detach(),
    lambda a, x: a(x).data,
]
SECOND_WEIGHT, FIRST_WEIGHT, BETWEEN = 2 * 8 * 4, 2 * 8 * 8, 2 * 8 * 4


@pytest.mark.parametrize("between", STOPPING)
def test_gradients_end_where_the_model_switches_them_off(between: Callable[..., torch.Tensor]) -> None:
    assert trained_macs(Halves(between), 2, 8) == SECOND_WEIGHT


PASSING = [
    lambda a, x: a(x),
    lambda a, x: Doubled.apply(a(x)),
    lambda a, x: checkpoint(a, x.requires_grad_(), use_reentrant=True),
    lambda a, x: checkpoint(a, x, use_reentrant=False),
]


@pytest.mark.parametrize("between", PASSING)
def test_gradients_pass_what_torch_itself_runs_without_recording(between: Callable[..., torch.Tensor]) -> None:
    assert trained_macs(Halves(between), 2, 8) == SECOND_WEIGHT + BETWEEN + FIRST_WEIGHT


def with_gradients_back_on(a: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        y = x + 1
        with torch.enable_grad():
            return a(y)


def test_gradients_switched_on_again_flow() -> None:
    assert trained_macs(Halves(with_gradients_back_on), 2, 8) == SECOND_WEIGHT + BETWEEN + FIRST_WEIGHT


def keeping_for_a_gradient(a: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    """What inference mode refuses, so that the run needs another way."""
    with torch.inference_mode(False):
        free = torch.ones(2, 8, device=x.device, requires_grad=True)
        free * x
    with torch.no_grad():
        return a(x)


def test_gradients_end_too_in_a_model_that_inference_mode_refuses() -> None:
    assert trained_macs(Halves(keeping_for_a_gradient), 2, 8) == SECOND_WEIGHT


def test_a_frozen_parameter_that_no_module_lists_is_not_trained() -> None:
    trained, frozen = (nn.Parameter(torch.ones(8, 8), requires_grad=wanted) for wanted in (True, False))
    assert trained_macs(Halves(lambda a, x: x @ trained), 2, 8) == SECOND_WEIGHT + BETWEEN + FIRST_WEIGHT
    assert trained_macs(Halves(lambda a, x: x @ frozen), 2, 8) == SECOND_WEIGHT


def test_a_saved_report_keeps_its_backward_pass(tmp_path: Path) -> None:
    module = nn.Linear(4, 5)
    trained, plain = (convcost.analyze(module, inputs=((3, 4),), backward=wanted) for wanted in (True, False))
    paths = [tmp_path / "trained.json", tmp_path / "plain.json"]
    from convcost.reports.jsontext import json_text

    for path, analysis in zip(paths, (trained, plain), strict=True):
        path.write_text(json_text(analysis.to_json()))
    assert convcost.analyze(paths[0], backward=True).backward == trained.backward
    with pytest.raises(UsageError, match="says nothing of the backward pass"):
        convcost.analyze(paths[1], backward=True)
