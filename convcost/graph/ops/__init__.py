"""Every kind of computation convcost knows, one module per family."""

from __future__ import annotations

from convcost.graph.ops.attention import Attention
from convcost.graph.ops.base import Arithmetic, Attribute, Op, Shapes, broadcast, real_products
from convcost.graph.ops.conv import Conv, ConvTranspose, DeformConv, Pads, conv_output_size, same_padding
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
from convcost.graph.ops.unknown import Unknown
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

ALL_OPS: tuple[type[Op], ...] = (
    Conv,
    ConvTranspose,
    DeformConv,
    WinogradConv,
    FftConv,
    Linear,
    MatMul,
    Einsum,
    Attention,
    Recurrent,
    Normalize,
    Softmax,
    Activation,
    Elementwise,
    Pool,
    AdaptivePool,
    Reduce,
    Resample,
    Fourier,
    Gather,
    Move,
    Unknown,
)
