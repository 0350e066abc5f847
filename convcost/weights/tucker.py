"""Kernels as a small core between two changes of channels, by the higher-order singular value decomposition."""

from __future__ import annotations

import numpy as np

from convcost.dataclasses import dataclass
from convcost.weights.layout import Kernel
from convcost.weights.read import FloatArray
from convcost.weights.spectra import Spectrum, inputs_against_the_rest, outputs_against_the_rest


@dataclass(frozen=True, slots=True, kw_only=True)
class TuckerFactors:
    """`outputs` (g, N/g, R_N/g) times `core` (g, R_N/g, R_M/g, *kernel) times `inputs` (g, M/g, R_M/g), transposed."""

    outputs: FloatArray
    core: Kernel
    inputs: FloatArray

    def truncated(self, rank_in: int, rank_out: int) -> TuckerFactors:
        """Cut to ranks in each group; ranks beyond full are filled with zeros."""
        return TuckerFactors(
            outputs=_cut(self.outputs, axis=2, size=rank_out),
            core=_cut(_cut(self.core, axis=1, size=rank_out), axis=2, size=rank_in),
            inputs=_cut(self.inputs, axis=2, size=rank_in),
        )


def tucker_factors(kernel: Kernel) -> TuckerFactors:
    """The full decomposition of each group, its directions in order of what each keeps on its own.

    De Lathauwer et al. 2000. Cut to ranks, it misses at most √2 times what the best factors would.
    """
    g, n, m, *taps = kernel.shape
    outputs = _directions(outputs_against_the_rest(kernel))
    inputs = _directions(inputs_against_the_rest(kernel))
    half = (outputs.swapaxes(1, 2) @ kernel.reshape(g, n, -1)).reshape(g, n, m, -1)
    core = inputs.swapaxes(1, 2)[:, None] @ half
    return TuckerFactors(outputs=outputs, core=core.reshape(g, n, m, *taps), inputs=inputs)


def tucker_spectrum(kernel: Kernel) -> Spectrum:
    """The share that rank r keeps on both sides, each cut off at its channels."""
    core = tucker_factors(kernel).core
    energies = np.square(core).sum(axis=(0, *range(3, core.ndim)))
    kept = energies.cumsum(axis=0).cumsum(axis=1)
    outputs, inputs = energies.shape
    ranks = np.arange(max(outputs, inputs))
    return Spectrum(kept=np.minimum(kept[ranks.clip(max=outputs - 1), ranks.clip(max=inputs - 1)] / kept[-1, -1], 1.0))


def _directions(matrices: FloatArray) -> FloatArray:
    """Left singular vectors, all of them, the largest singular value's first."""
    return np.linalg.eigh(matrices @ matrices.swapaxes(1, 2)).eigenvectors[:, :, ::-1]


def _cut(array: FloatArray, *, axis: int, size: int) -> FloatArray:
    kept = np.take(array, range(min(size, array.shape[axis])), axis=axis)
    missing = [(0, size - kept.shape[axis] if at == axis else 0) for at in range(array.ndim)]
    return np.pad(kept, missing)
