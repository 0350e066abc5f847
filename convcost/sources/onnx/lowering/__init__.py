"""What each ONNX operator is in our terms, one module per family."""

from __future__ import annotations

from convcost.sources.onnx.lowering import (
    attention,
    conv,
    detection,
    elementwise,
    fourier,
    fused,
    matmul,
    move,
    normalize,
    pool,
    quantized,
    recurrent,
    reduce,
    resample,
    rotary,
    unmodelled,
)
from convcost.sources.onnx.lowering.call import MISFITS, Call, Lowered, NotCountedError, Step
from convcost.sources.onnx.lowering.registry import LOWERINGS, Lowering, lowers
from convcost.sources.onnx.lowering.unmodelled import NOT_MODELLED

FAMILIES = (
    attention,
    conv,
    detection,
    elementwise,
    fourier,
    fused,
    matmul,
    move,
    normalize,
    pool,
    quantized,
    recurrent,
    reduce,
    resample,
    rotary,
    unmodelled,
)
"""Importing a family enters its operators into `LOWERINGS`."""

__all__ = [
    "FAMILIES",
    "LOWERINGS",
    "MISFITS",
    "NOT_MODELLED",
    "Call",
    "Lowered",
    "Lowering",
    "NotCountedError",
    "Step",
    "lowers",
]
