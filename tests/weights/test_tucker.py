"""Tucker's factors: exact at full rank, and their energies those of the core."""

from __future__ import annotations

import numpy as np
import pytest

from convcost.weights.spectra import inputs_against_the_rest, outputs_against_the_rest, spectrum
from convcost.weights.tucker import tucker_factors, tucker_spectrum


def rebuilt(factors) -> np.ndarray:
    return np.einsum("gna,gabij,gmb->gnmij", factors.outputs, factors.core, factors.inputs)


KERNEL = np.random.default_rng(0).standard_normal((2, 5, 3, 3, 2))


def test_all_of_the_core_is_all_of_the_kernel():
    np.testing.assert_allclose(rebuilt(tucker_factors(KERNEL)), KERNEL, atol=1e-12)


@pytest.mark.parametrize("rank", [1, 2, 3, 4, 5])
def test_the_spectrum_is_what_cut_factors_keep(rank):
    missed = rebuilt(tucker_factors(KERNEL).truncated(min(rank, 3), rank)) - KERNEL
    kept = 1 - np.square(missed).sum() / np.square(KERNEL).sum()
    assert tucker_spectrum(KERNEL).at(rank) == pytest.approx(kept, abs=1e-12)


def test_two_cuts_keep_no_more_than_either_alone_and_lose_no_more_than_both():
    found = tucker_spectrum(KERNEL)
    outputs, inputs = spectrum(outputs_against_the_rest(KERNEL)), spectrum(inputs_against_the_rest(KERNEL))
    for rank in range(1, found.full_rank + 1):
        assert found.at(rank) <= min(outputs.at(rank), inputs.at(rank)) + 1e-12
        assert 1 - found.at(rank) <= (1 - outputs.at(rank)) + (1 - inputs.at(rank)) + 1e-12


def test_a_kernel_of_few_channels_in_disguise_is_seen_through():
    generator = np.random.default_rng(1)
    core = generator.standard_normal((2, 2, 3, 3))
    kernel = np.einsum("na,abij,mb->nmij", generator.standard_normal((8, 2)), core, generator.standard_normal((6, 2)))
    assert tucker_spectrum(kernel[None]).at(2) == pytest.approx(1, abs=1e-12)
    assert tucker_spectrum(kernel[None]).full_rank == 8
