"""Fourier transforms."""

from __future__ import annotations

from convcost.graph.ops import Fourier
from convcost.sources.torch.call import Call, Step
from convcost.sources.torch.lowering.table import lowers


@lowers("aten._fft_c2c", "prims.fft_c2c")
def _of_complex(call: Call) -> Step:
    return Step(Fourier(axes=call.integers("dim")), call.operands)


@lowers("aten._fft_r2c", "prims.fft_r2c")
def _of_real(call: Call) -> Step:
    op = Fourier(axes=call.integers("dim"), spectrum="real", onesided=call.flag("onesided"))
    return Step(op, call.operands)


@lowers("aten._fft_c2r", "prims.fft_c2r")
def _to_real(call: Call) -> Step:
    op = Fourier(axes=call.integers("dim"), spectrum="inverse_real", length=call.integer("last_dim_size"))
    return Step(op, call.operands)
