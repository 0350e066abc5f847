"""How much of a kernel each rank keeps: unfoldings into matrices, and their squared singular values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from convcost.dataclasses import dataclass
from convcost.weights.layout import Kernel
from convcost.weights.read import FloatArray

Unfolding: TypeAlias = Callable[[Kernel], FloatArray]
"""A kernel as matrices side by side, shape `(blocks, rows, columns)`, each to be cut at the same rank."""


def column_then_row(kernel: Kernel) -> FloatArray:
    """Rows (c, i), columns (o, j), one matrix per group: a K×1 stage, then a 1×K one."""
    g, n, m, height, width = kernel.shape
    return kernel.transpose(0, 2, 3, 1, 4).reshape(g, m * height, n * width)


def row_then_column(kernel: Kernel) -> FloatArray:
    """Rows (c, j), columns (o, i), one matrix per group: a 1×K stage, then a K×1 one."""
    g, n, m, height, width = kernel.shape
    return kernel.transpose(0, 2, 4, 1, 3).reshape(g, m * width, n * height)


def by_input_channel(kernel: Kernel) -> FloatArray:
    """Rows o, columns taps, one matrix per input channel: depthwise filters, then pointwise."""
    g, n, m, *_ = kernel.shape
    return kernel.swapaxes(1, 2).reshape(g * m, n, -1)


def by_output_channel(kernel: Kernel) -> FloatArray:
    """Rows c, columns taps, one matrix per output channel: pointwise, then depthwise filters."""
    g, n, m, *_ = kernel.shape
    return kernel.reshape(g * n, m, -1)


def by_input_group(groups: int) -> Unfolding:
    """Rows o, columns (c, taps), one matrix per group of inputs: the window in groups to d channels, then pointwise.

    The kernel's own groups are split until there are `groups`.
    """

    def unfold(kernel: Kernel) -> FloatArray:
        g, n, m, *taps = kernel.shape
        parts = groups // g
        return kernel.reshape(g, n, parts, m // parts, *taps).swapaxes(1, 2).reshape(groups, n, -1)

    return unfold


def by_output_group(groups: int) -> Unfolding:
    """Rows c, columns (o, taps), one matrix per group of outputs: pointwise to d channels, then the window in groups.

    The kernel's own groups are split until there are `groups`.
    """

    def unfold(kernel: Kernel) -> FloatArray:
        g, n, m, *taps = kernel.shape
        parts = groups // g
        split = kernel.reshape(groups, n // parts, m, *taps)
        return split.swapaxes(1, 2).reshape(groups, m, -1)

    return unfold


def outputs_against_the_rest(kernel: Kernel) -> FloatArray:
    """Rows o, columns (c, taps), one matrix per group: the whole window to R channels, then pointwise."""
    return by_input_group(len(kernel))(kernel)


def inputs_against_the_rest(kernel: Kernel) -> FloatArray:
    """Rows c, columns (o, taps), one matrix per group: pointwise to R channels, then the whole window."""
    return by_output_group(len(kernel))(kernel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spectrum:
    """The share of a kernel's energy (its squared Frobenius norm) that each rank keeps at best.

    `kept[r - 1]` belongs to rank r, in every block at once; it rises to 1 at full rank. By Eckart and Young
    no other factors of that rank keep more; only of Tucker's, a little more may be possible.
    """

    kept: FloatArray

    def at(self, rank: int) -> float:
        """The share kept at a rank; beyond full rank everything is."""
        return float(self.kept[min(rank, len(self.kept)) - 1]) if rank > 0 else 0.0

    def rank_for(self, share: float) -> int:
        """The smallest rank that keeps at least `share` of the energy."""
        return min(int(np.searchsorted(self.kept, share)) + 1, len(self.kept))

    @property
    def full_rank(self) -> int:
        return len(self.kept)


def spectrum(matrices: FloatArray) -> Spectrum:
    """The spectrum of matrices `(blocks, rows, columns)`. They must be finite and not all zero.

    Energies come from the eigenvalues of the smaller Gram matrix: three times faster than singular values,
    and as exact for shares of the whole, since both err by 1e-16 of the largest.
    """
    wide = matrices if matrices.shape[1] <= matrices.shape[2] else matrices.swapaxes(1, 2)
    squared = np.linalg.eigvalsh(wide @ wide.swapaxes(1, 2))[:, ::-1].clip(min=0.0)
    return spectrum_of_energies(squared.sum(axis=0))


def spectrum_of_energies(energies: FloatArray) -> Spectrum:
    """The spectrum whose rank r keeps the first r of these energies."""
    kept = np.cumsum(energies)
    return Spectrum(kept=np.minimum(kept / kept[-1], 1.0))


def power_of_two_near(kernel: FloatArray) -> float:
    """The power of two at or below the largest magnitude: dividing by it rounds nothing."""
    return float(np.ldexp(1.0, np.frexp(np.abs(kernel).max())[1] - 1))


def unit_scale(kernel: Kernel) -> Kernel:
    """The kernel scaled to a largest magnitude between 1 and 2, so that no square overflows or vanishes."""
    scaled: Kernel = kernel / power_of_two_near(kernel)
    return scaled
