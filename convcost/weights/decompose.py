"""The weights of an alternative's stages: the best approximation of a kernel that its ranks allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from convcost.alternatives import (
    Alternative,
    AnyConv,
    DepthwiseSeparable,
    Grouped,
    NotApplicable,
    SpatialFactorized,
    SpatialSeparable,
    convolution,
)
from convcost.graph import Node
from convcost.weights import spectra
from convcost.weights.layout import Kernel, from_stored, to_stored
from convcost.weights.read import FloatArray

Stages: TypeAlias = tuple[Kernel, ...]


def decompose(layer: Node, alternative: Alternative, stored: FloatArray) -> tuple[FloatArray, ...] | NotApplicable:
    """The weight of each convolution that the alternative puts in place of `layer`, in order and as stored.

    `stored` is the layer's own weight. At full rank the stages compute what the layer does; below it, the
    Frobenius norm of what they miss is the root of the dropped squared singular values. Factors share the
    singular values evenly; ranks beyond full are filled with zeros.
    """
    conv = convolution(layer)
    if conv is None:
        return NotApplicable(reason="not a convolution")
    rewritten = alternative.rewrite(layer, conv)
    if isinstance(rewritten, NotApplicable):
        return rewritten
    stages = _stages(alternative, conv, from_stored(conv, stored))
    if isinstance(stages, NotApplicable):
        return stages
    ops = [op for node in rewritten if (op := convolution(node)) is not None]
    return tuple(to_stored(op, kernel) for op, kernel in zip(ops, stages, strict=True))


def _stages(alternative: Alternative, conv: AnyConv, kernel: Kernel) -> Stages | NotApplicable:
    stages: Stages | NotApplicable
    match alternative:
        case SpatialSeparable():
            stages = _each_kernel(kernel)
        case SpatialFactorized(order="vh"):
            stages = _column_then_row(kernel, alternative.channels_between(conv) // conv.groups)
        case SpatialFactorized():
            stages = _row_then_column(kernel, alternative.channels_between(conv) // conv.groups)
        case DepthwiseSeparable(multiplier=terms, order="dw_pw"):
            stages = _depthwise_then_pointwise(kernel, terms)
        case DepthwiseSeparable(multiplier=terms):
            stages = _pointwise_then_depthwise(kernel, terms)
        case Grouped(groups=groups):
            stages = (_block_diagonal(kernel, groups),)
        case _:
            stages = NotApplicable(reason=f"convcost does not derive weights for {alternative.name}")
    return stages


@dataclass(frozen=True, slots=True)
class _Factors:
    """`rows` of shape (blocks, rows, rank) times `columns` of shape (blocks, rank, columns)."""

    rows: FloatArray
    columns: FloatArray


def _truncate(matrices: FloatArray, rank: int) -> _Factors:
    left, singular, right = np.linalg.svd(matrices, full_matrices=False)
    root = np.sqrt(singular[:, :rank])
    missing = max(rank - singular.shape[1], 0)
    return _Factors(
        np.pad(left[:, :, :rank] * root[:, None, :], ((0, 0), (0, 0), (0, missing))),
        np.pad(root[:, :, None] * right[:, :rank, :], ((0, 0), (0, missing), (0, 0))),
    )


def _column_then_row(kernel: Kernel, rank: int) -> Stages:
    g, n, m, height, width = kernel.shape
    factors = _truncate(spectra.column_then_row(kernel), rank)
    column = factors.rows.reshape(g, m, height, rank).transpose(0, 3, 1, 2)
    row = factors.columns.reshape(g, rank, n, width).swapaxes(1, 2)
    return column[..., None], row[..., None, :]


def _row_then_column(kernel: Kernel, rank: int) -> Stages:
    row, column = _column_then_row(kernel.swapaxes(3, 4), rank)
    return row.swapaxes(3, 4), column.swapaxes(3, 4)


def _each_kernel(kernel: Kernel) -> Stages:
    """Each kernel's closest column `(M, N/g, 1, K, 1)` and row `(N, 1, M/g, 1, K)`; maps are reordered between."""
    g, n, m, height, width = kernel.shape
    factors = _truncate(kernel.reshape(-1, height, width), 1)
    column = factors.rows.reshape(g, n, m, height).swapaxes(1, 2).reshape(g * m, n, 1, height, 1)
    return column, factors.columns.reshape(g * n, 1, m, 1, width)


def _depthwise_then_pointwise(kernel: Kernel, terms: int) -> Stages:
    """Filters `(M, T, 1, *kernel)`, mixed by `(g, N/g, M/g * T, 1…)`: the T maps of a channel stand together."""
    g, n, m, *taps = kernel.shape
    factors = _truncate(spectra.by_input_channel(kernel), terms)
    filters = factors.columns.reshape(g * m, terms, 1, *taps)
    mix = factors.rows.reshape(g, m, n, terms).swapaxes(1, 2).reshape(g, n, m * terms, *(1 for _ in taps))
    return filters, mix


def _pointwise_then_depthwise(kernel: Kernel, terms: int) -> Stages:
    """Mixed by `(g, N/g * T, M/g, 1…)`, then filters `(N, 1, T, *kernel)` that also sum."""
    g, n, m, *taps = kernel.shape
    factors = _truncate(spectra.by_output_channel(kernel), terms)
    mix = factors.rows.reshape(g, n, m, terms).swapaxes(2, 3).reshape(g, n * terms, m, *(1 for _ in taps))
    return mix, factors.columns.reshape(g * n, 1, terms, *taps)


def _block_diagonal(kernel: Kernel, groups: int) -> Kernel:
    """What a grouped convolution keeps of the channels in their order, shape `(groups, …)`."""
    g, n, m, *taps = kernel.shape
    parts = groups // g
    blocks = kernel.reshape(g, parts, n // parts, parts, m // parts, *taps)
    diagonal = blocks[:, np.arange(parts), :, np.arange(parts)].swapaxes(0, 1)
    return diagonal.reshape(groups, n // parts, m // parts, *taps)
