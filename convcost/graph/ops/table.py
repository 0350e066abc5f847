"""All kinds of computation in one tuple, in the order documents list them."""

from __future__ import annotations

from convcost.graph.ops.attention import Attention
from convcost.graph.ops.base import Op
from convcost.graph.ops.conv import Conv, ConvTranspose, DeformConv
from convcost.graph.ops.elementwise import Activation, Elementwise
from convcost.graph.ops.fft import FftConv
from convcost.graph.ops.fourier import Fourier
from convcost.graph.ops.matmul import Einsum, Linear, MatMul
from convcost.graph.ops.move import Gather, Move
from convcost.graph.ops.normalize import Normalize, Softmax
from convcost.graph.ops.pool import AdaptivePool, Pool
from convcost.graph.ops.recurrent import Recurrent
from convcost.graph.ops.reduce import Reduce
from convcost.graph.ops.resample import Resample
from convcost.graph.ops.unknown import Unknown
from convcost.graph.ops.winograd import WinogradConv

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
