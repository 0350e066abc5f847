"""What groups of channels keep: in order, in the best order, and never more than there is."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.weights.grouping import MOST_TRIED, _arrangements, _best_found, _best_of_all, _partitions, grouping
from tests.weights.models import golden_kernel

GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "published.json").read_text())["golden_tensor"]


def test_two_groups_of_the_golden_kernel_keep_the_published_energies():
    found = grouping(golden_kernel()[None], 2)
    assert found.in_order == pytest.approx(GOLDEN["grouped_g2"]["identity"], abs=GOLDEN["tol"])
    assert found.reordered == pytest.approx(GOLDEN["grouped_g2"]["best"], abs=GOLDEN["tol"])
    assert found.exhaustive


def best_by_permutations(table: np.ndarray, parts: int) -> float:
    """Every order of inputs and outputs, blocks summed up."""
    rows, columns = table.shape[0] // parts, table.shape[1] // parts
    return max(
        sum(
            table[np.ix_(outputs[k * rows : (k + 1) * rows], inputs[k * columns : (k + 1) * columns])].sum()
            for k in range(parts)
        )
        for outputs in itertools.permutations(range(table.shape[0]))
        for inputs in itertools.permutations(range(table.shape[1]))
    )


@pytest.mark.parametrize(("shape", "parts"), [((4, 4), 2), ((2, 4), 2), ((3, 3), 3), ((4, 2), 2)])
def test_exhaustive_search_agrees_with_trying_every_permutation(shape, parts):
    table = np.random.default_rng(0).uniform(size=shape)
    assert _best_of_all(table, parts) == pytest.approx(best_by_permutations(table, parts), abs=1e-12)


@given(outputs=st.integers(1, 4), inputs=st.integers(1, 3), parts=st.integers(2, 3), seed=st.integers(0, 2**32 - 1))
def test_local_search_never_claims_more_than_the_maximum(outputs, inputs, parts, seed):
    table = np.random.default_rng(seed).uniform(size=(2 * parts, inputs * parts if parts == 2 else parts))
    assert _best_found(table, parts) <= _best_of_all(table, parts) * (1 + 1e-12)


def test_partitions_are_all_and_each_once():
    found = list(_partitions(6, 2))
    assert len(found) == len(set(found)) == 10
    assert all(labels.count(0) == 3 and labels[0] == 0 for labels in found)


@pytest.mark.parametrize(("size", "groups"), [(32, 2), (32, 4), (64, 8), (128, 16)])
def test_shuffled_groups_are_found_again(size, groups):
    generator = np.random.default_rng(1)
    mask = np.kron(np.eye(groups), np.ones((size // groups, size // groups)))
    kernel = generator.standard_normal((size, size, 3, 3)) * mask[:, :, None, None]
    shuffled = kernel[generator.permutation(size)][:, generator.permutation(size)]
    found = grouping(shuffled[None], groups)
    assert found.in_order < 0.8
    assert found.reordered == pytest.approx(1, abs=1e-12)
    assert not found.exhaustive


def test_groups_of_a_layer_are_split_and_not_mixed():
    generator = np.random.default_rng(0)
    kernel = np.zeros((2, 4, 4, 1, 1))
    for group in range(2):
        kernel[group, :2, :2] = generator.standard_normal((2, 2, 1, 1))
        kernel[group, 2:, 2:] = generator.standard_normal((2, 2, 1, 1))
    assert grouping(kernel, 4).in_order == pytest.approx(1)
    # Energy between the layer's own groups does not exist; swapping within one is found.
    assert grouping(kernel[:, ::-1, [0, 2, 1, 3]], 4).reordered == pytest.approx(1)


def test_reordering_finds_something_in_noise_too():
    found = grouping(np.random.default_rng(0).standard_normal((1, 64, 64, 3, 3)), 4)
    assert found.in_order == pytest.approx(0.25, abs=0.02)
    assert 0.27 < found.reordered < 0.35


def test_the_limit_of_trying_all_is_kept():
    kernel = np.random.default_rng(0).standard_normal((1, 12, 12, 1, 1))
    assert not grouping(kernel, 2).exhaustive
    assert MOST_TRIED < 924 * 924 // 2


def test_arrangements_count_pairs_of_partitions_and_not_names_of_groups():
    assert _arrangements(4, 4, 2) == 18  # 3 ways to halve each, 2 ways to pair the halves
