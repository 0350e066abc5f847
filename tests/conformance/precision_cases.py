"""Other numbers than single-precision floats, and operators that nobody can know."""

from __future__ import annotations

import warnings

import torch
from torch import nn

from tests.conformance.case import Cases
from tests.sources.torch.networks import Calls

CASES = Cases()
CONV = "out positions * N * M * kernel"
LINEAR = "rows * in * out"
COMPLEX = "a complex product is 4 real ones"


@torch.library.custom_op("convcost_conformance::mystery", mutates_args=())
def _mystery(x: torch.Tensor) -> torch.Tensor:
    return x.clone()


@_mystery.register_fake
def _(x):
    return torch.empty_like(x)


def _cast(self, x):
    with torch.autocast("cpu", torch.bfloat16):
        return self.linear(x)


class _WeightOnly(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("weight", torch.zeros(4, 6, dtype=torch.int8))
        self.register_buffer("scale", torch.ones(4, 1))

    def forward(self, x):
        return x @ (self.weight.to(x.dtype) * self.scale).T


def _dynamic(module):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.ao.quantization.quantize_dynamic(module, {nn.Linear, nn.LSTM}, dtype=torch.qint8)


def _static():
    module = nn.Sequential(
        torch.ao.quantization.QuantStub(),
        nn.Conv2d(4, 8, 3),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 5),
        torch.ao.quantization.DeQuantStub(),
    ).eval()
    module.qconfig = torch.ao.quantization.get_default_qconfig("fbgemm")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fused = torch.ao.quantization.fuse_modules(module, [["1", "2"]])
        prepared = torch.ao.quantization.prepare(fused)
        prepared(torch.randn(1, 4, 8, 8))
        return torch.ao.quantization.convert(prepared)


CASES.add(
    "half_precision",
    lambda: nn.Conv2d(4, 8, 3, bias=False).half(),
    (1, 4, 8, 8),
    says=CONV,
    macs="6*6 * 8 * 4 * 9",
    params="8*4*9",
)
CASES.add(
    "bfloat16",
    lambda: nn.Linear(6, 4).bfloat16(),
    (2, 6),
    says=LINEAR,
    macs="2 * 6 * 4",
    params="6*4 + 4",
)
CASES.add(
    "autocast",
    lambda: Calls(_cast, linear=nn.Linear(6, 4)),
    (2, 6),
    says=LINEAR,
    macs="2 * 6 * 4",
    params="6*4 + 4",
    exports=False,
)
CASES.add(
    "complex_matmul",
    lambda: Calls(lambda self, a, b: torch.complex(a, a) @ torch.complex(b, b)),
    (3, 4),
    (4, 5),
    says=f"m * k * n, and {COMPLEX}",
    macs="3*4*5 * 4",
    exports=False,
)
CASES.add(
    "complex_by_real",
    lambda: Calls(lambda self, a, b: torch.einsum("mk,kn->mn", torch.complex(a, a), b.to(torch.complex64))),
    (3, 4),
    (4, 5),
    says=f"cast first, so {COMPLEX}",
    macs="3*4*5 * 4",
    exports=False,
)
CASES.add(
    "fft_filter",
    lambda: Calls(
        lambda self, x: torch.fft.irfft2(torch.fft.rfft2(x) * torch.view_as_complex(self.weight), s=(8, 8)),
        weight=nn.Parameter(torch.zeros(4, 8, 5, 2)),
    ),
    (1, 4, 8, 8),
    says="transforms and elementwise products are other ops",
    macs="0",
    params="4*8*5*2",
    exports=False,
)
CASES.add(
    "int8_weights_dequantized",
    _WeightOnly,
    (2, 6),
    says=f"{LINEAR}; the scales are buffers",
    macs="2 * 6 * 4",
)
CASES.add(
    "dynamic_quantized_linear",
    lambda: _dynamic(nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3))),
    (2, 6),
    says=f"{LINEAR}, twice, on int8 weights",
    macs="2*6*4 + 2*4*3",
    params="6*4 + 4 + 4*3 + 3",
    exports=False,
)
CASES.add(
    "dynamic_quantized_lstm",
    lambda: Calls(lambda self, x: self.lstm(x)[0], lstm=_dynamic(nn.Sequential(nn.LSTM(8, 16)))[0]),
    (5, 3, 8),
    says="steps * batch * gates * hidden * (inputs + state)",
    macs="5*3 * 4*16 * (8 + 16)",
    params="4*16*(8 + 16) + 2*4*16",
    exports=False,
)
CASES.add(
    "static_quantized",
    _static,
    (1, 4, 8, 8),
    says=f"{CONV} + {LINEAR}, on int8 weights and uint8 data",
    macs="6*6*8*4*9 + 1*8*5",
    params="8*4*9 + 8 + 8*5 + 5",
    exports=False,
)
CASES.add(
    "sparse_product",
    lambda: Calls(lambda self, x: torch.sparse.mm(x.to_sparse(), self.weight), weight=nn.Parameter(torch.zeros(6, 4))),
    torch.eye(6),
    says="how many products a sparse matrix takes depends on its values: not counted",
    macs="0",
    params="6*4",
    unknown=("aten._sparse_mm",),
    exports=False,
)
CASES.add(
    "sparse_matmul",
    lambda: Calls(lambda self, x: x.to_sparse_csr() @ self.weight, weight=nn.Parameter(torch.zeros(6, 4))),
    torch.eye(6),
    says="never the dense count, which nothing executes: not counted",
    macs="0",
    params="6*4",
    unknown=("aten.matmul",),
    exports=False,
)
CASES.add(
    "custom_op",
    lambda: Calls(lambda self, x: torch.ops.convcost_conformance.mystery(self.linear(x)), linear=nn.Linear(6, 4)),
    (2, 6),
    says=f"{LINEAR}; the operator nobody knows is listed",
    macs="2*6*4",
    params="6*4 + 4",
    unknown=("convcost_conformance.mystery",),
    exports=False,
)
