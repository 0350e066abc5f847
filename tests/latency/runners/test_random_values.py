"""Made-up numbers: of fixed seed, of every type, and harmless."""

from __future__ import annotations

import numpy as np
import pytest

from convcost.graph import DType
from convcost.latency.runners.prepared import UnrunnableError
from convcost.latency.runners.random_values import element_type, random_input, random_weight


def test_a_seed_gives_the_same_numbers():
    first, second = (random_weight((3, 4), DType.FLOAT32, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_vectors_can_be_variances_and_kernels_keep_unit_size():
    generator = np.random.default_rng(0)
    vector = random_weight((1000,), DType.FLOAT32, generator)
    assert vector.min() >= 0.5
    assert vector.max() <= 1.5
    kernel = random_weight((64, 32, 3, 3), DType.FLOAT32, generator)
    assert kernel.std() * np.sqrt(32 * 9) == pytest.approx(1.0, abs=0.02)


def test_integers_are_indices_into_anything():
    assert set(random_input((100,), DType.INT64, np.random.default_rng(0)).tolist()) == {0, 1}
    assert random_input((3,), DType.BOOL, np.random.default_rng(0)).all()


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float64", "float8_e4m3fn", "int8", "uint8", "bool"])
def test_element_types_keep_their_width(name):
    assert element_type(DType._value2member_map_[name]).itemsize * 8 == DType._value2member_map_[name].bits


@pytest.mark.parametrize("dtype", [DType.STRING, DType.INT4])
def test_types_without_values_are_refused(dtype):
    with pytest.raises(UnrunnableError, match=dtype.value):
        element_type(dtype)


@pytest.mark.parametrize("make", [random_input, random_weight])
@pytest.mark.parametrize("dtype", [DType.FLOAT32, DType.INT64, DType.BOOL])
def test_a_scalar_is_an_array_too(make, dtype):
    assert isinstance(make((), dtype, np.random.default_rng(0)), np.ndarray)
