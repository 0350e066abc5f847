"""Single kernels: the textbook's, and what must hold of any."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.errors import UsageError
from convcost.graph import DType
from convcost.weights import RandomKernels, separability_of_kernel
from convcost.weights.single import separable_kernels

GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "published.json").read_text())["filters_rank1_energy"]
BINOMIAL = np.array([1, 4, 6, 4, 1])
FILTERS = {
    "sobel": ([[1, 0, -1], [2, 0, -2], [1, 0, -1]], 1),
    "laplacian4": ([[0, 1, 0], [1, -4, 1], [0, 1, 0]], 2),
    "laplacian8": ([[1, 1, 1], [1, -8, 1], [1, 1, 1]], 2),
    "box3": (np.ones((3, 3)), 1),
    "eye3": (np.eye(3), 3),
    "binomial5": (np.outer(BINOMIAL, BINOMIAL), 1),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_rank_and_energy_of_textbook_filters_are_the_published(name):
    kernel, rank = FILTERS[name]
    found = separability_of_kernel(kernel, name=name)
    assert found.rank == rank
    assert found.is_separable is (rank == 1)
    assert found.energy == pytest.approx(GOLDEN[name], abs=1e-12)


def test_sobel_splits_into_smoothing_and_difference_exactly():
    found = separability_of_kernel(FILTERS["sobel"][0])
    assert (found.column, found.row, found.error) == ((1, 2, 1), (1, 0, -1), 0)
    assert "-0.0" not in str(found.row + found.column)


def test_a_gaussian_splits_into_its_binomials():
    found = separability_of_kernel(FILTERS["binomial5"][0])
    assert (found.column, found.row) == ((1, 4, 6, 4, 1), (1, 4, 6, 4, 1))


def test_laplacian_leaves_its_second_singular_value_as_error():
    found = separability_of_kernel(FILTERS["laplacian4"][0])
    assert found.error == pytest.approx(found.singular_values[1], abs=1e-12)
    assert found.error**2 / 20 == pytest.approx(1 - GOLDEN["laplacian4"], abs=1e-12)


@given(
    shape=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([1e-300, 1e-3, 1.0, 1e300]),
)
def test_factors_leave_the_root_of_the_dropped_squared_singular_values(shape, seed, scale):
    kernel = np.random.default_rng(seed).uniform(-1, 1, shape) * scale
    found = separability_of_kernel(kernel)
    left = np.linalg.norm(kernel / scale - np.outer(found.column, np.array(found.row) / scale))
    dropped = np.array(found.singular_values[1:]) / scale
    assert left == pytest.approx(np.sqrt(np.square(dropped).sum()), abs=1e-12)
    assert found.error / scale == pytest.approx(left, abs=1e-12)


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_an_outer_product_is_separable_whatever_its_factors(height, width, seed):
    generator = np.random.default_rng(seed)
    kernel = np.outer(generator.uniform(0.1, 1, height), generator.uniform(-1, -0.1, width))
    found = separability_of_kernel(kernel)
    assert found.rank == 1
    np.testing.assert_allclose(np.outer(found.column, found.row), kernel, atol=1e-14)


@pytest.mark.parametrize(
    ("kernel", "code", "rank"),
    [([[1, float("nan")]], "nan", None), ([[1, float("-inf")]], "inf", None), ([[0, 0], [0, 0]], "zero", 0)],
)
def test_values_without_a_spectrum_are_findings(kernel, code, rank):
    found = separability_of_kernel(kernel)
    assert [finding.code for finding in found.findings] == [code]
    assert (found.rank, found.energy, found.column) == (rank, None, ())
    json.dumps(found.to_json(), allow_nan=False)


@pytest.mark.parametrize(
    "kernel", [[[1, 2], [3]], [["a", "b"]], [1, 2, 3], 3, [], [[]], [[[1]]], [[1j]], None, [[None]]]
)
def test_what_is_no_rectangle_of_numbers_is_refused_in_one_line(kernel):
    with pytest.raises(UsageError) as caught:
        separability_of_kernel(kernel, name="k")
    assert "kernel 'k'" in caught.value.message
    assert caught.value.hint


def test_a_result_is_picklable_json():
    found = separability_of_kernel(FILTERS["laplacian4"][0], name="laplacian")
    assert pickle.loads(pickle.dumps(found)) == found
    assert json.loads(json.dumps(found.to_json()))["rank"] == 2


def outer_products(count: int) -> np.ndarray:
    generator = np.random.default_rng(3)
    return np.einsum("ni,nj->nij", generator.standard_normal((count, 3)), generator.standard_normal((count, 3)))


@pytest.mark.parametrize(
    ("stored_as", "element"), [(DType.FLOAT64, "f8"), (DType.FLOAT32, "f4"), (DType.FLOAT16, "f2")]
)
def test_kernels_separable_up_to_their_rounding_are_counted(stored_as, element):
    kernels = outer_products(12).reshape(1, 4, 3, 3, 3)
    kernels[0, 0, 0] = np.eye(3)
    kernels[0, 1, 1] = 0
    found = separable_kernels(kernels.astype(element).astype("f8"), stored_as, RandomKernels())
    assert (found.separable, found.kernels) == (11, 12)
    assert found.share == 11 / 12


def test_random_kernels_are_not_separable_at_the_rounding_of_float32():
    kernels = np.random.default_rng(0).standard_normal((1, 16, 16, 3, 3))
    found = separable_kernels(kernels, DType.FLOAT32, RandomKernels())
    assert found.separable == 0
    assert found.energy == pytest.approx(found.random, abs=0.03)
