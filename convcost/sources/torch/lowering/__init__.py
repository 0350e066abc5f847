"""From framework operators to typed ops: one module per family, all in one table."""

from __future__ import annotations

from convcost.sources.torch.lowering import (
    attention,
    conv,
    elementwise,
    fourier,
    loss,
    matmul,
    move,
    normalize,
    pool,
    quantized,
    recurrent,
    reduce,
    resample,
    vision,
)
from convcost.sources.torch.lowering.table import LOWERINGS, lowers

FAMILIES = (
    attention,
    conv,
    elementwise,
    fourier,
    loss,
    matmul,
    move,
    normalize,
    pool,
    quantized,
    recurrent,
    reduce,
    resample,
    vision,
)
"""Importing a family fills the table."""

__all__ = ["FAMILIES", "LOWERINGS", "lowers"]
