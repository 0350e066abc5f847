"""What random kernels keep, so that nobody takes for structure what noise has too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field

import numpy as np

from convcost.dataclasses import dataclass
from convcost.weights.families import Family
from convcost.weights.layout import Kernel
from convcost.weights.spectra import Spectrum

DRAWS = 3
SEED = 2014


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomKernels:
    """Gaussian kernels, the same for one shape in every run; means over them are kept for each shape met.

    One kernel is in memory at a time.
    """

    draws: int = DRAWS
    _spectra: dict[tuple[str, tuple[int, ...]], Spectrum] = field(default_factory=dict)
    _means: dict[tuple[str, tuple[int, ...]], float] = field(default_factory=dict)

    def spectrum(self, family: Family, shape: tuple[int, ...]) -> Spectrum:
        """The mean share that each rank of the family keeps of a random kernel of `shape` (a `Kernel`'s)."""
        key = (family.label, shape)
        if key not in self._spectra:
            total = sum(family.spectrum(kernel).kept for kernel in self._kernels(shape))
            self._spectra[key] = Spectrum(kept=np.asarray(total, dtype=np.float64) / self.draws)
        return self._spectra[key]

    def mean(self, what: str, shape: tuple[int, ...], measure: Callable[[Kernel], float]) -> float:
        """The mean of `measure` over random kernels of `shape`; `what` names the measure in memory."""
        key = (what, shape)
        if key not in self._means:
            self._means[key] = sum(measure(kernel) for kernel in self._kernels(shape)) / self.draws
        return self._means[key]

    def _kernels(self, shape: tuple[int, ...]) -> Iterator[Kernel]:
        generator = np.random.default_rng([SEED, *shape])
        for _ in range(self.draws):
            yield generator.standard_normal(shape)
