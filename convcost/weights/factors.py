"""One kernel as the kernels of several stages, form by form; all in the layout of `Kernel`.

Each truncates at a rank per block; the two stages share the singular values evenly.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from convcost.dataclasses import dataclass
from convcost.weights import spectra
from convcost.weights.layout import Kernel
from convcost.weights.read import FloatArray
from convcost.weights.tucker import tucker_factors

Stages: TypeAlias = tuple[Kernel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Factors:
    """`rows` of shape (blocks, rows, rank) times `columns` of shape (blocks, rank, columns)."""

    rows: FloatArray
    columns: FloatArray


def _truncate(matrices: FloatArray, rank: int) -> _Factors:
    left, singular, right = np.linalg.svd(matrices, full_matrices=False)
    root = np.sqrt(singular[:, :rank])
    missing = max(rank - singular.shape[1], 0)
    return _Factors(
        rows=np.pad(left[:, :, :rank] * root[:, None, :], ((0, 0), (0, 0), (0, missing))),
        columns=np.pad(root[:, :, None] * right[:, :rank, :], ((0, 0), (0, missing), (0, 0))),
    )


def column_then_row(kernel: Kernel, rank: int) -> Stages:
    """`(g, R/g, M/g, K, 1)`, then `(g, N/g, R/g, 1, K)`."""
    g, n, m, height, width = kernel.shape
    factors = _truncate(spectra.column_then_row(kernel), rank)
    column = factors.rows.reshape(g, m, height, rank).transpose(0, 3, 1, 2)
    row = factors.columns.reshape(g, rank, n, width).swapaxes(1, 2)
    return column[..., None], row[..., None, :]


def row_then_column(kernel: Kernel, rank: int) -> Stages:
    """`(g, R/g, M/g, 1, K)`, then `(g, N/g, R/g, K, 1)`."""
    row, column = column_then_row(kernel.swapaxes(3, 4), rank)
    return row.swapaxes(3, 4), column.swapaxes(3, 4)


def each_kernel(kernel: Kernel) -> Stages:
    """Each kernel's closest column `(M, N/g, 1, K, 1)` and row `(N, 1, M/g, 1, K)`; maps are reordered between."""
    g, n, m, height, width = kernel.shape
    factors = _truncate(kernel.reshape(-1, height, width), 1)
    column = factors.rows.reshape(g, n, m, height).swapaxes(1, 2).reshape(g * m, n, 1, height, 1)
    return column, factors.columns.reshape(g * n, 1, m, 1, width)


def depthwise_then_pointwise(kernel: Kernel, terms: int) -> Stages:
    """Filters `(M, T, 1, *kernel)`, mixed by `(g, N/g, M/g * T, 1…)`: the T maps of a channel stand together."""
    g, n, m, *taps = kernel.shape
    factors = _truncate(spectra.by_input_channel(kernel), terms)
    filters = factors.columns.reshape(g * m, terms, 1, *taps)
    mix = factors.rows.reshape(g, m, n, terms).swapaxes(1, 2).reshape(g, n, m * terms, *(1 for _ in taps))
    return filters, mix


def pointwise_then_depthwise(kernel: Kernel, terms: int) -> Stages:
    """Mixed by `(g, N/g * T, M/g, 1…)`, then filters `(N, 1, T, *kernel)` that also sum."""
    g, n, m, *taps = kernel.shape
    factors = _truncate(spectra.by_output_channel(kernel), terms)
    mix = factors.rows.reshape(g, n, m, terms).swapaxes(2, 3).reshape(g, n * terms, m, *(1 for _ in taps))
    return mix, factors.columns.reshape(g * n, 1, terms, *taps)


def grouped_then_pointwise(kernel: Kernel, groups: int, rank: int) -> Stages:
    """Filters `(G, d, M/G, *kernel)`, mixed by `(g, N/g, G/g * d, 1…)`."""
    g, n, m, *taps = kernel.shape
    factors = _truncate(spectra.by_input_group(groups)(kernel), rank)
    mix = factors.rows.reshape(g, groups // g, n, rank).swapaxes(1, 2)
    filters = factors.columns.reshape(groups, rank, m * g // groups, *taps)
    return filters, mix.reshape(g, n, -1, *(1 for _ in taps))


def pointwise_then_grouped(kernel: Kernel, groups: int, rank: int) -> Stages:
    """Mixed by `(g, G/g * d, M/g, 1…)`, then filters `(G, N/G, d, *kernel)`."""
    g, n, m, *taps = kernel.shape
    factors = _truncate(spectra.by_output_group(groups)(kernel), rank)
    mix = factors.rows.swapaxes(1, 2).reshape(g, -1, m, *(1 for _ in taps))
    return mix, factors.columns.reshape(groups, rank, n * g // groups, *taps).swapaxes(1, 2)


def core_between(kernel: Kernel, rank_in: int, rank_out: int) -> Stages:
    """`(g, R_M/g, M/g, 1…)`, the core, `(g, N/g, R_N/g, 1…)`."""
    ones = [1] * (kernel.ndim - 3)
    factors = tucker_factors(kernel).truncated(rank_in, rank_out)
    into = factors.inputs.swapaxes(1, 2)
    return into.reshape(*into.shape, *ones), factors.core, factors.outputs.reshape(*factors.outputs.shape, *ones)


def block_diagonal(kernel: Kernel, groups: int) -> Kernel:
    """What a grouped convolution keeps of the channels in their order, shape `(groups, …)`."""
    g, n, m, *taps = kernel.shape
    parts = groups // g
    blocks = kernel.reshape(g, parts, n // parts, parts, m // parts, *taps)
    diagonal = blocks[:, np.arange(parts), :, np.arange(parts)].swapaxes(0, 1)
    return diagonal.reshape(groups, n // parts, m // parts, *taps)
