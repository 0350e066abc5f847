"""Every kind of computation convcost knows, one module per family, loaded when something of it is first named."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from convcost.graph.ops.base import Arithmetic, Attribute, Op, Shapes, broadcast, real_products
from convcost.graph.ops.conv import Conv, ConvTranspose, DeformConv, Pads, conv_output_size, same_padding
from convcost.graph.ops.unknown import Unknown

if TYPE_CHECKING:
    from convcost.graph.ops.attention import Attention
    from convcost.graph.ops.elementwise import Activation, Elementwise
    from convcost.graph.ops.fft import FftConv
    from convcost.graph.ops.fourier import Fourier, Spectrum
    from convcost.graph.ops.matmul import Einsum, Linear, MatMul
    from convcost.graph.ops.move import Gather, Move
    from convcost.graph.ops.normalize import Normalize, NormMethod, Softmax
    from convcost.graph.ops.pool import AdaptivePool, Pool, PoolMethod
    from convcost.graph.ops.recurrent import Cell, Recurrent
    from convcost.graph.ops.reduce import Reduce
    from convcost.graph.ops.resample import Interpolation, Resample
    from convcost.graph.ops.table import ALL_OPS
    from convcost.graph.ops.winograd import WinogradConv

__all__ = [
    "ALL_OPS",
    "Activation",
    "AdaptivePool",
    "Arithmetic",
    "Attention",
    "Attribute",
    "Cell",
    "Conv",
    "ConvTranspose",
    "DeformConv",
    "Einsum",
    "Elementwise",
    "FftConv",
    "Fourier",
    "Gather",
    "Interpolation",
    "Linear",
    "MatMul",
    "Move",
    "NormMethod",
    "Normalize",
    "Op",
    "Pads",
    "Pool",
    "PoolMethod",
    "Recurrent",
    "Reduce",
    "Resample",
    "Shapes",
    "Softmax",
    "Spectrum",
    "Unknown",
    "WinogradConv",
    "broadcast",
    "conv_output_size",
    "real_products",
    "same_padding",
]

_LATER: Mapping[str, str] = {
    "ALL_OPS": "table",
    "Activation": "elementwise",
    "AdaptivePool": "pool",
    "Attention": "attention",
    "Cell": "recurrent",
    "Einsum": "matmul",
    "Elementwise": "elementwise",
    "FftConv": "fft",
    "Fourier": "fourier",
    "Gather": "move",
    "Interpolation": "resample",
    "Linear": "matmul",
    "MatMul": "matmul",
    "Move": "move",
    "NormMethod": "normalize",
    "Normalize": "normalize",
    "Pool": "pool",
    "PoolMethod": "pool",
    "Recurrent": "recurrent",
    "Reduce": "reduce",
    "Resample": "resample",
    "Softmax": "normalize",
    "Spectrum": "fourier",
    "WinogradConv": "winograd",
}
"""In which module the names are that a layer spec of convolutions does not need: 8 ms of every start."""


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module 'convcost.graph.ops' has no attribute '{name}'")
    return getattr(importlib.import_module(f"convcost.graph.ops.{_LATER[name]}"), name)
