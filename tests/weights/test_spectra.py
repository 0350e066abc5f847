"""Energies against published numbers, against NumPy's singular values, and against what must hold of any kernel."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.weights import spectra
from convcost.weights.spectra import Spectrum, spectrum, unit_scale
from tests.weights.models import golden_kernel

GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "published.json").read_text())["golden_tensor"]
UNFOLDINGS = (
    spectra.column_then_row,
    spectra.row_then_column,
    spectra.by_input_channel,
    spectra.by_output_channel,
    spectra.outputs_against_the_rest,
    spectra.inputs_against_the_rest,
)


def test_the_golden_kernel_is_the_published_one():
    kernel = golden_kernel()
    assert (kernel.sum(), np.square(kernel).sum()) == (GOLDEN["sum"], GOLDEN["norm2"])
    assert list(kernel.shape) == GOLDEN["shape"]


@pytest.mark.parametrize(("key", "unfold"), [("VH", spectra.column_then_row), ("HV", spectra.row_then_column)])
def test_spatial_energies_are_the_published(key, unfold):
    found = spectrum(unfold(golden_kernel()[None]))
    for rank, energy in GOLDEN[key].items():
        assert found.at(int(rank)) == pytest.approx(energy, abs=GOLDEN["tol"])


@pytest.mark.parametrize(("key", "unfold"), [("DWPW", spectra.by_input_channel), ("PWDW", spectra.by_output_channel)])
def test_depthwise_separable_energies_are_the_published(key, unfold):
    found = spectrum(unfold(golden_kernel()[None]))
    assert found.full_rank == len(GOLDEN[key])
    assert [found.at(terms) for terms in range(1, found.full_rank + 1)] == pytest.approx(GOLDEN[key], abs=GOLDEN["tol"])


def test_grouped_low_rank_energies_are_the_published():
    for groups, energies in GOLDEN["GSVD_in"].items():
        found = spectrum(spectra.by_input_group(int(groups))(golden_kernel()[None]))
        for rank, energy in energies.items():
            assert found.at(int(rank)) == pytest.approx(energy, abs=GOLDEN["tol"])


def test_grouped_low_rank_lies_between_channel_low_rank_and_depthwise_separable():
    kernel = golden_kernel()[None]
    np.testing.assert_array_equal(spectra.by_input_group(1)(kernel), spectra.outputs_against_the_rest(kernel))
    np.testing.assert_array_equal(spectra.by_input_group(6)(kernel), spectra.by_input_channel(kernel))
    np.testing.assert_array_equal(spectra.by_output_group(1)(kernel), spectra.inputs_against_the_rest(kernel))
    np.testing.assert_array_equal(spectra.by_output_group(8)(kernel), spectra.by_output_channel(kernel))


@pytest.mark.parametrize("unfold", UNFOLDINGS)
def test_energies_are_those_of_numpy_singular_values(unfold):
    matrices = unfold(np.random.default_rng(0).standard_normal((2, 5, 4, 3, 2)))
    squared = np.square(np.linalg.svd(matrices, compute_uv=False)).sum(axis=0)
    np.testing.assert_allclose(spectrum(matrices).kept, np.cumsum(squared) / squared.sum(), rtol=0, atol=1e-14)


@given(
    sizes=st.tuples(*(st.integers(1, 3) for _ in range(5))),
    seed=st.integers(0, 2**32 - 1),
    which=st.sampled_from(UNFOLDINGS),
)
def test_energy_rises_with_rank_to_everything_and_forgets_no_value(sizes, seed, which):
    kernel = np.random.default_rng(seed).standard_normal(sizes)
    matrices = which(kernel)
    np.testing.assert_allclose(np.sort(matrices, axis=None), np.sort(kernel, axis=None))
    found = spectrum(matrices)
    assert (np.diff(found.kept) >= 0).all()
    assert found.kept[-1] == pytest.approx(1, abs=1e-12)
    assert found.at(found.full_rank + 5) == found.kept[-1]
    assert found.at(0) == 0


def test_rank_for_a_share_is_the_smallest_that_keeps_it():
    found = Spectrum(kept=np.array([0.5, 0.8, 0.95, 1.0]))
    assert [found.rank_for(share) for share in (0.1, 0.5, 0.51, 0.9, 0.95, 0.99, 1.0)] == [1, 1, 2, 3, 3, 4, 4]


def test_scaling_saves_kernels_whose_squares_overflow_or_vanish():
    kernel = np.random.default_rng(0).standard_normal((1, 4, 4, 3, 3))
    wanted = spectrum(spectra.column_then_row(kernel)).kept
    for scale in (1e200, 1e-200):
        np.testing.assert_allclose(spectrum(spectra.column_then_row(unit_scale(kernel * scale))).kept, wanted)
