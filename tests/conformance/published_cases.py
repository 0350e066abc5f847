"""The modules behind tests/data/conformance_cases.csv, rebuilt from their formulas."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  # the name everyone reads it by

CASES: dict[str, tuple[Callable[[], nn.Module], tuple[object, ...]]] = {}


def case(name: str, *inputs: object):
    """Registers a module class, or a function that builds one, with the inputs it runs on."""

    def register(build):
        assert name not in CASES
        CASES[name] = (build, inputs)
        return build

    return register


def plain(name: str, module: Callable[[], nn.Module], *inputs: object) -> None:
    CASES[name] = (lambda: nn.Sequential(module()), inputs)


plain("conv1d_s2", lambda: nn.Conv1d(8, 16, 3, stride=2, padding=1, bias=False), (1, 8, 50))
plain("conv2d", lambda: nn.Conv2d(3, 16, 3, padding=1, bias=False), (1, 3, 32, 32))
CASES["bare_root_conv"] = (lambda: nn.Conv2d(3, 16, 3, padding=1, bias=False), ((1, 3, 32, 32),))
plain("conv2d_bias", lambda: nn.Conv2d(3, 16, 3, padding=1), (1, 3, 32, 32))
plain("conv3d", lambda: nn.Conv3d(4, 6, 3, padding=1, bias=False), (1, 4, 8, 8, 8))
plain("conv2d_pad_tuple", lambda: nn.Conv2d(4, 8, 3, padding=(2, 0), bias=False), (1, 4, 18, 16))
plain("conv2d_dilation", lambda: nn.Conv2d(4, 8, 3, dilation=2, bias=False), (1, 4, 32, 32))
plain("conv2d_groups4", lambda: nn.Conv2d(16, 32, 3, padding=1, groups=4, bias=False), (1, 16, 16, 16))
plain("depthwise", lambda: nn.Conv2d(16, 16, 3, padding=1, groups=16, bias=False), (1, 16, 16, 16))
plain("depthwise_mult2", lambda: nn.Conv2d(16, 32, 3, padding=1, groups=16, bias=False), (1, 16, 16, 16))
plain("pad_same_odd", lambda: nn.Conv2d(3, 8, 3, padding="same", bias=False), (1, 3, 20, 20))
plain("convT_s2", lambda: nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1, bias=False), (1, 16, 8, 8))
plain("linear_bias_2d", lambda: nn.Linear(32, 16), (1, 32))
plain("linear_3d", lambda: nn.Linear(32, 16, bias=False), (1, 7, 32))
plain("embedding_only", lambda: nn.Embedding(100, 32), torch.zeros(1, 10, dtype=torch.int64))


@case("functional_conv2d", (1, 4, 32, 32))
class FunctionalConv(nn.Module):
    def __init__(self):
        super().__init__()
        self.kernel = nn.Parameter(torch.zeros(8, 4, 3, 3))

    def forward(self, x):
        return F.conv2d(x, self.kernel)


@case("shared_conv_twice", (1, 8, 16, 16))
class SharedConv(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, padding=1, bias=False)

    def forward(self, x):
        return self.conv(self.conv(x))


@case("tied_weights", torch.zeros(1, 10, dtype=torch.int64))
class TiedWeights(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(100, 32)
        self.head = nn.Linear(32, 100, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, tokens):
        return self.head(self.embedding(tokens))


@case("unused_module", (1, 8, 16, 16))
class UnusedModule(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.never_called = nn.Linear(50, 60)

    def forward(self, x):
        return self.conv(x)


@case("conv_bn_relu", (1, 3, 32, 32))
def conv_bn_relu():
    return nn.Sequential(nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU())


class Product(nn.Module):
    def __init__(self, *shape, by):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(*shape))
        self.by = by

    def forward(self, x):
        return self.by(x, self.weight)


CASES["bmm"] = (lambda: Product(4, 20, 30, by=torch.bmm), ((4, 10, 20),))
CASES["matmul_bcast"] = (lambda: Product(20, 30, by=torch.matmul), ((2, 3, 10, 20),))
CASES["at_operator"] = (lambda: Product(20, 30, by=lambda x, w: x @ w), ((2, 10, 20),))


@case("parameterlist_matmul", (1, 16))
class ParameterListProduct(nn.Module):
    def __init__(self):
        super().__init__()
        self.matrices = nn.ParameterList(nn.Parameter(torch.zeros(16, 16)) for _ in range(3))

    def forward(self, x):
        for matrix in self.matrices:
            x = x @ matrix
        return x


@case("mha_eval_noweights", (1, 10, 32))
class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(32, 4, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0]


class ScaledDotProduct(nn.Module):
    """Keys and values are parameters; the queries are the input."""

    def __init__(self, keys, *, causal=False):
        super().__init__()
        self.keys = nn.Parameter(torch.zeros(2, 4, keys, 16))
        self.values = nn.Parameter(torch.zeros(2, 4, keys, 16))
        self.causal = causal

    def forward(self, queries):
        return F.scaled_dot_product_attention(queries, self.keys, self.values, is_causal=self.causal)


CASES["sdpa"] = (lambda: ScaledDotProduct(14), ((2, 4, 10, 16),))
CASES["sdpa_causal"] = (lambda: ScaledDotProduct(14, causal=True), ((2, 4, 14, 16),))
plain("lstm", lambda: nn.LSTM(8, 16, batch_first=True), (1, 5, 8))
plain("gru", lambda: nn.GRU(8, 16, batch_first=True), (1, 5, 8))


@case("int64_tokens", torch.zeros(1, 10, dtype=torch.int64))
class TokenClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(100, 32)
        self.head = nn.Linear(32, 5, bias=False)

    def forward(self, tokens):
        return self.head(self.embedding(tokens)).mean(1)


@case("deform_conv_fn", (1, 4, 16, 16))
class DeformableConv(nn.Module):
    def __init__(self):
        super().__init__()
        self.offset = nn.Conv2d(4, 18, 3, padding=1, bias=False)
        self.weight = nn.Parameter(torch.zeros(8, 4, 3, 3))

    def forward(self, x):
        mask, bias = x.new_zeros(0), x.new_zeros(8)
        geometry = (1, 1, 1, 1, 1, 1, 1, 1)
        return torch.ops.torchvision.deform_conv2d(x, self.weight, self.offset(x), mask, bias, *geometry, False)


@torch.library.register_fake("torchvision::deform_conv2d")
def _deform_conv2d(x, weight, offset, mask, bias, *geometry):
    return x.new_empty(x.shape[0], weight.shape[0], *offset.shape[2:])


@case("pixel_shuffle", (1, 4, 8, 8))
def pixel_shuffle():
    return nn.Sequential(
        nn.Conv2d(4, 16, 3, padding=1, bias=False), nn.PixelShuffle(2), nn.Conv2d(4, 3, 3, padding=1, bias=False)
    )


def batched():
    return nn.Sequential(
        nn.Conv2d(4, 8, 3, padding=1, bias=False),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 10, bias=False),
    )


CASES["batch1"] = (batched, ((1, 4, 16, 16),))
CASES["batch8"] = (batched, ((8, 4, 16, 16),))


@case("dynamic_branch", torch.ones(1, 4, 16, 16))
class DynamicBranch(nn.Module):
    def __init__(self):
        super().__init__()
        self.positive = nn.Conv2d(4, 8, 3, padding=1, bias=False)
        self.first = nn.Conv2d(4, 8, 5, padding=2, bias=False)
        self.second = nn.Conv2d(4, 8, 5, padding=2, bias=False)

    def forward(self, x):
        return self.positive(x) if x.sum() > 0 else self.first(x) + self.second(x)


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.left = nn.Linear(16, 8, bias=False)
        self.right = nn.Linear(12, 8, bias=False)


@case("input_two_positional", (1, 16), (1, 12))
class TwoPositional(TwoInputs):
    def forward(self, left, right):
        return self.left(left) + self.right(right)


@case("input_tuple", ((1, 16), (1, 12)))
class TupleInput(TwoInputs):
    def forward(self, pair):
        return self.left(pair[0]) + self.right(pair[1])
