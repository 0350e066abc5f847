"""The same layers, called, stored and fed in unusual ways."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn
from torch.nn.utils import parametrizations
from torch.utils.checkpoint import checkpoint

from tests.conformance.case import Cases
from tests.sources.torch.networks import Calls

CASES = Cases()
CONV = "out positions * N * M * kernel"
LINEAR = "rows * in * out"


def conv(channels: int = 4, out_channels: int = 8) -> nn.Conv2d:
    return nn.Conv2d(channels, out_channels, 3, padding=1, bias=False)


def linear(features: int, out_features: int) -> nn.Linear:
    return nn.Linear(features, out_features, bias=False)


class _Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = conv(4, 4), conv(4, 4)
        self.second.weight = self.first.weight

    def forward(self, x):
        return self.second(self.first(x))


class _TiedTurned(nn.Module):
    """The second layer multiplies by the first one's weight, turned: one matrix in memory under two shapes."""

    def __init__(self):
        super().__init__()
        self.first, self.second = linear(6, 4), linear(4, 6)
        self.second.weight = nn.Parameter(self.first.weight.data.t())

    def forward(self, x):
        return self.second(self.first(x))


class _Turned(nn.Module):
    """GPT-2's linear layer: it flattens its data, and keeps its weight the other way round."""

    def __init__(self):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.zeros(6, 4)), nn.Parameter(torch.zeros(4))

    def forward(self, x):
        return torch.addmm(self.bias, x.view(-1, 6), self.weight).view(2, 3, 4)


class _Heads(NamedTuple):
    left: torch.Tensor
    rest: dict[str, torch.Tensor]


class _ParameterDictProduct(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.ParameterDict({"used": torch.zeros(6, 4), "unused": torch.zeros(3)})

    def forward(self, x):
        return x @ self.table["used"]


def _either(self, x):
    return torch.cond(x.sum() > 0, self.small, self.large, (x,))


def _halve(self, x):
    """Three passes, whatever the weights: the values only decide when to stop."""
    left = x.mean().item() * 4
    while left > 0.5:
        x = self.linear(x)
        left /= 2
    return x


def _hooked():
    module = linear(6, 6)
    module.register_forward_hook(lambda module, given, result: result @ module.weight)
    return nn.Sequential(module)


CASES.add(
    "direct_forward",
    lambda: Calls(lambda self, x: self.conv.forward(x), conv=conv()),
    (1, 4, 6, 6),
    says=CONV,
    macs="6*6 * 8 * 4 * 9",
    params="8*4*9",
)
CASES.add(
    "tied_convs",
    _Tied,
    (1, 4, 6, 6),
    says=f"two layers of {CONV}, one stored",
    macs="2 * 6*6 * 4 * 4 * 9",
    params="4*4*9",
)
CASES.add(
    "tied_turned",
    _TiedTurned,
    (2, 6),
    says=f"two layers of {LINEAR}, one stored",
    macs="2*6*4 + 2*4*6",
    params="6*4",
)
CASES.add(
    "linear_on_flattened_data",
    lambda: nn.Sequential(_Turned()),
    (2, 3, 6),
    says=f"{LINEAR}; its bias is other ops",
    macs="2*3 * 6 * 4",
    params="6*4 + 4",
)
CASES.add(
    "loss_inside",
    lambda: Calls(
        lambda self, x: nn.functional.cross_entropy(self.linear(x), torch.tensor([0, 1], device=x.device)),
        linear=linear(6, 4),
    ),
    (2, 6),
    says=f"{LINEAR}; the loss is other ops",
    macs="2 * 6 * 4",
    params="6*4",
)
CASES.add(
    "module_listed_twice",
    lambda: nn.Sequential(*[linear(6, 6)] * 3),
    (2, 6),
    says=f"three calls of {LINEAR}, one stored",
    macs="3 * 2 * 6 * 6",
    params="6*6",
)
CASES.add(
    "weight_norm",
    lambda: Calls(lambda self, x: self.conv(x), conv=parametrizations.weight_norm(conv())),
    (1, 4, 6, 6),
    says=f"{CONV}; the norm is other ops, its scales are parameters",
    macs="6*6 * 8 * 4 * 9",
    params="8*4*9 + 8",
)
CASES.add(
    "spectral_norm",
    lambda: Calls(lambda self, x: self.linear(x), linear=parametrizations.spectral_norm(linear(6, 4))),
    (2, 6),
    says=f"{LINEAR}; the norm u·(W·v) is a product too: out * in + out",
    macs="2 * 6 * 4 + 4*6 + 4",
    params="6*4",
    exported_macs="2 * 6 * 4",
)
CASES.add(
    "orthogonal",
    lambda: Calls(
        lambda self, x: self.linear(x), linear=parametrizations.orthogonal(linear(6, 6), orthogonal_map="matrix_exp")
    ),
    (2, 6),
    says=f"{LINEAR}; the orthogonal base times the exponential: n³; the exponential itself is not counted",
    macs="2 * 6 * 6 + 6*6*6",
    params="6*6",
    unknown=("aten.linalg_matrix_exp",),
    exports=False,
)
CASES.add(
    "checkpoint",
    lambda: Calls(lambda self, x: checkpoint(self.conv, x, use_reentrant=False), conv=conv()),
    (1, 4, 6, 6),
    says=CONV,
    macs="6*6 * 8 * 4 * 9",
    params="8*4*9",
)
CASES.add(
    "input_dict",
    lambda: Calls(
        lambda self, batch: self.left(batch["a"]) + self.right(batch["b"]), left=linear(6, 4), right=linear(5, 4)
    ),
    {"a": (2, 6), "b": (2, 5)},
    says=f"{LINEAR}, twice",
    macs="2*6*4 + 2*5*4",
    params="6*4 + 5*4",
    exports=False,
)
CASES.add(
    "input_keyword",
    lambda: Calls(lambda self, x, *, other: self.left(x) + self.right(other), left=linear(6, 4), right=linear(5, 4)),
    (2, 6),
    kwargs={"other": (2, 5)},
    says=f"{LINEAR}, twice",
    macs="2*6*4 + 2*5*4",
    params="6*4 + 5*4",
    exports=False,
)
CASES.add(
    "input_nested",
    lambda: Calls(
        lambda self, deep: self.left(deep["pair"][0]) + self.right(deep["pair"][1][0]),
        left=linear(6, 4),
        right=linear(5, 4),
    ),
    {"pair": ((2, 6), [(2, 5)])},
    says=f"{LINEAR}, twice",
    macs="2*6*4 + 2*5*4",
    params="6*4 + 5*4",
    exports=False,
)
CASES.add(
    "output_named_tuple",
    lambda: Calls(
        lambda self, x: _Heads(self.left(x), {"right": self.right(x)}), left=linear(6, 4), right=linear(6, 5)
    ),
    (2, 6),
    says=f"{LINEAR}, twice",
    macs="2*6*4 + 2*6*5",
    params="6*4 + 6*5",
    exports=False,
)
CASES.add(
    "branch_on_shape",
    lambda: Calls(lambda self, x: self.small(x) if x.shape[-1] < 8 else self.large(x), small=conv(), large=conv(4, 99)),
    (1, 4, 6, 6),
    says=f"the arm that runs: {CONV}; both are stored",
    macs="6*6 * 8 * 4 * 9",
    params="8*4*9 + 99*4*9",
)
CASES.add(
    "branch_cond",
    lambda: Calls(_either, small=linear(6, 4), large=nn.Sequential(linear(6, 50), linear(50, 4))),
    (2, 6),
    says="the dearer arm: 2 * (6*50 + 50*4)",
    macs="2 * (6*50 + 50*4)",
    params="6*4 + 6*50 + 50*4",
    exports=False,
)
CASES.add(
    "loop_until_converged",
    lambda: Calls(_halve, linear=linear(6, 6)),
    torch.ones(2, 6),
    says=f"as often as these values make it: three calls of {LINEAR}",
    macs="3 * 2 * 6 * 6",
    params="6*6",
    exports=False,
)
CASES.add(
    "forward_hook",
    _hooked,
    (2, 6),
    says=f"{LINEAR}, and another in a hook",
    macs="2*6*6 + 2*6*6",
    params="6*6",
)
CASES.add(
    "functional_call",
    lambda: Calls(
        lambda self, x: torch.func.functional_call(self.linear, {"weight": 2 * self.linear.weight}, (x,)),
        linear=linear(6, 4),
    ),
    (2, 6),
    says=LINEAR,
    macs="2*6*4",
    params="6*4",
    exports=False,
)
CASES.add(
    "scripted",
    lambda: torch.jit.script(nn.Sequential(conv(), nn.ReLU(), conv(8, 2))),
    (1, 4, 6, 6),
    says=f"{CONV}, twice",
    macs="6*6*8*4*9 + 6*6*2*8*9",
    params="8*4*9 + 2*8*9",
    exports=False,
)
CASES.add(
    "parameter_dict",
    _ParameterDictProduct,
    (2, 6),
    says="rows * in * out, by a parameter that no layer holds",
    macs="2*6*4",
    params="6*4 + 3",
)
CASES.add(
    "frozen_layers",
    lambda: nn.Sequential(linear(6, 4).requires_grad_(False), linear(4, 2)),
    (2, 6),
    says=f"{LINEAR}, twice; frozen weights are parameters still",
    macs="2*6*4 + 2*4*2",
    params="6*4 + 4*2",
)
CASES.add(
    "empty_batch",
    lambda: nn.Sequential(conv(), nn.ReLU()),
    (0, 4, 6, 6),
    says="no image, no work",
    macs="0",
    params="8*4*9",
    exports=False,
)
