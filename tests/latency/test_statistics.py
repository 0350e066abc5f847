"""Order statistics and rank tests against brute force and published tables."""

from __future__ import annotations

import itertools
import math
import random
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.latency.statistics import (
    Interval,
    compare_samples,
    count_outliers,
    drift,
    interval_rank,
    median,
    median_interval,
    p10_interval,
    quantile,
    rank_test,
)


def coverage(count: int, rank: int) -> float:
    """The probability that the median lies between the order statistics, counted over all 2**count sign patterns."""
    below = [sum(signs) for signs in itertools.product((0, 1), repeat=count)]
    return sum(rank < number < count - rank for number in below) / 2**count


@pytest.mark.parametrize("count", range(6, 15))
def test_the_interval_is_the_narrowest_that_covers_95_percent(count):
    rank = interval_rank(count, 0.95)
    assert coverage(count, rank) >= 0.95
    assert coverage(count, rank + 1) < 0.95


@pytest.mark.parametrize(
    # Lower ranks (counted from 1) of the 95 % sign-test interval: Hollander & Wolfe, Conover, table A3.
    ("count", "lower"),
    [(6, 1), (8, 1), (9, 2), (10, 2), (12, 3), (15, 4), (20, 6), (25, 8), (30, 10), (50, 18), (100, 40)],
)
def test_the_interval_has_the_published_ranks(count, lower):
    assert interval_rank(count, 0.95) + 1 == lower


def test_few_samples_give_their_whole_range():
    assert median_interval([3.0, 1.0, 2.0]) == Interval(low=1.0, high=3.0)
    assert median_interval([2.0]) == Interval(low=2.0, high=2.0)


def test_thousands_of_samples_do_not_overflow():
    rank = interval_rank(5000, 0.95)
    assert rank == pytest.approx(2500 - 1.96 * math.sqrt(5000) / 2, abs=2)


def test_the_interval_covers_the_median_of_a_skewed_distribution():
    draw = random.Random(1)
    hits = 0
    for _ in range(400):
        interval = median_interval([draw.lognormvariate(0, 1) for _ in range(25)])
        hits += interval.low <= 1.0 <= interval.high
    assert hits / 400 >= 0.93


def test_within_looks_at_the_further_end():
    interval = Interval(low=0.995, high=1.02)
    assert interval.within(0.021, of=1.0)
    assert not interval.within(0.01, of=1.0)


def test_quantiles_interpolate():
    assert quantile([0.0, 10.0], 0.1) == 1.0
    assert median([5.0, 1.0, 3.0]) == 3.0


def exact_p_by_enumeration(first: list[float], second: list[float]) -> float:
    pooled = [*first, *second]
    mean = len(first) * len(second) / 2

    def distance(group: tuple[int, ...]) -> float:
        chosen = [pooled[index] for index in group]
        others = [value for index, value in enumerate(pooled) if index not in group]
        return abs(sum(a > b for a in chosen for b in others) - mean)

    observed = distance(tuple(range(len(first))))
    groups = list(itertools.combinations(range(len(pooled)), len(first)))
    return sum(distance(group) >= observed for group in groups) / len(groups)


@given(
    st.lists(st.integers(0, 10_000), min_size=5, max_size=10, unique=True),
    st.integers(2, 4),
)
def test_the_rank_test_is_exact_for_small_groups(values, split):
    first, second = [float(v) for v in values[:split]], [float(v) for v in values[split:]]
    assert rank_test(first, second) == pytest.approx(exact_p_by_enumeration(first, second))


@pytest.mark.parametrize(
    # Largest U with two-sided p <= 0.05: the table of Mann & Whitney 1947 as extended by Auble 1953.
    ("m", "n", "critical"),
    [(4, 4, 0), (5, 5, 2), (5, 8, 6), (7, 7, 8), (8, 10, 17), (10, 10, 23), (12, 15, 49), (20, 20, 127)],
)
def test_the_rank_test_has_the_published_critical_values(m, n, critical):
    assert rank_test(*groups_with(m, n, critical)) <= 0.05
    assert rank_test(*groups_with(m, n, critical + 1)) > 0.05


def groups_with(m: int, n: int, u: int) -> tuple[list[float], list[float]]:
    """Distinct values whose U (pairs in which the first group is larger) is `u`."""
    second = [float(index) for index in range(n)]
    first = []
    for index in range(m):
        beaten = min(n, max(0, u - n * index))
        first.append(beaten - 0.5 + index / (2 * m))
    return first, second


@cache
def orderings(u: int, m: int, n: int) -> int:
    """How many orderings of m and n values have that U: the largest value belongs to one group or the other."""
    if u < 0 or m < 0 or n < 0:
        return 0
    if m == 0 or n == 0:
        return int(u == 0)
    return orderings(u - n, m - 1, n) + orderings(u, m, n - 1)


@pytest.mark.parametrize("u", [100, 130, 150, 180, 210])
def test_the_normal_approximation_meets_the_exact_distribution(u):
    exact = 2 * sum(orderings(value, 21, 21) for value in range(u + 1)) / math.comb(42, 21)
    assert rank_test(*groups_with(21, 21, u)) == pytest.approx(exact, abs=0.004)


def test_ties_are_corrected_for():
    # By hand: U = 250 of 625 pairs, ties of 15 and 35, variance 625/12 * (51 - 46200/2450), z = 62/40.916.
    assert rank_test([1.0, 1.0, 2.0, 2.0, 2.0] * 5, [1.0, 2.0, 2.0, 2.0, 2.0] * 5) == pytest.approx(0.1297, abs=1e-4)


def test_ties_weaken_the_rank_test_and_all_equal_says_nothing():
    assert rank_test([1.0] * 30, [1.0] * 30) == 1.0
    assert rank_test([], [1.0]) == 1.0
    assert rank_test([1.0, 2.0] * 15, [2.0, 3.0] * 15) < 0.001


def test_outliers_are_far_outside_the_quartiles():
    assert count_outliers([1.0, 1.1, 0.9, 1.0, 1.05, 0.95, 9.0]) == 1
    assert count_outliers([1.0, 1.1, 0.9, 1.0]) == 0


def test_drift_needs_size_and_significance():
    assert drift([1 + 0.001 * step for step in range(60)]) == pytest.approx(0.04, abs=0.005)
    assert drift([1 + 0.0001 * step for step in range(60)]) is None
    assert drift([1.0, 1.5] * 30) is None
    assert drift([1.0, 2.0, 3.0]) is None


@pytest.mark.parametrize(
    ("head", "said"),
    [(1.5, "slower"), (0.5, "faster"), (1.0, "same"), (1.02, "same")],
)
def test_clear_cases_are_called_by_name(head, said):
    jitter = [1 + 0.001 * (step % 7) for step in range(50)]
    assert compare_samples(jitter, [head * value for value in jitter]) == said


def test_a_large_ratio_without_significance_is_no_difference():
    assert compare_samples([1.0, 5.0, 9.0, 2.0], [4.0, 1.5, 12.0, 6.0]) == "cannot tell"


def test_a_significant_ratio_below_the_threshold_is_no_difference():
    base = [1 + 0.0001 * step for step in range(50)]
    assert rank_test(base, [1.03 * value for value in base]) < 0.01
    assert compare_samples(base, [1.03 * value for value in base]) == "same"
    assert compare_samples(base, [1.03 * value for value in base], threshold=1.01) == "slower"


def test_wide_intervals_cannot_be_called_the_same():
    wide = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    assert compare_samples(wide, wide) == "cannot tell"
    assert compare_samples([1.0, 1.0], [1.0, 1.0]) == "cannot tell"


def test_budgets_compare_the_tenth_percentile():
    base = [1 + 0.001 * step for step in range(40)]
    # Half of the runs are disturbed; the fast ones are as fast as before.
    head = [value if step % 3 else 3 * value for step, value in enumerate(base)]
    assert compare_samples(base, head, statistic="p10", significance=1.0) != "slower"


def test_one_model_against_itself_differs_in_at_most_1_of_20_trials():
    draw = random.Random(7)
    found = [
        compare_samples(*([draw.gauss(1, 0.05) for _ in range(30)] for _ in range(2))) in ("faster", "slower")
        for _ in range(200)
    ]
    assert sum(found) <= 10


@pytest.mark.parametrize("count", [36, 50, 101, 400, 20_000])
def test_the_interval_of_the_tenth_percentile_holds_it_as_often_as_it_says(count: int) -> None:
    ranks = p10_interval([float(rank) for rank in range(count)])
    low, high = int(ranks.low), int(ranks.high)
    # Below the tenth percentile lie Binomial(count, 0.1) samples: the interval holds it if they are low + 1 to high.
    logs = [math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1) for k in range(low + 1, high + 1)]
    chances = [log + k * math.log(0.1) + (count - k) * math.log(0.9) for k, log in enumerate(logs, start=low + 1)]
    assert 0.95 <= sum(map(math.exp, chances)) <= 0.999
    assert low < 0.1 * count < high


def test_few_samples_leave_the_whole_range_to_the_tenth_percentile() -> None:
    assert p10_interval([float(rank) for rank in range(35)]) == Interval(low=0.0, high=34.0)
    assert p10_interval([3.0]) == Interval(low=3.0, high=3.0)


def test_noise_above_the_tenth_percentile_does_not_keep_two_from_being_the_same() -> None:
    quiet = [0.010 + 1e-6 * (step % 17) for step in range(120)]
    noisy = [0.010 + 1e-6 * (step % 13) if step % 2 else 0.03 + 1e-4 * (step % 11) for step in range(120)]
    assert compare_samples(noisy, noisy, statistic="median") == "cannot tell"
    assert compare_samples(noisy, noisy, statistic="p10") == "same"
    assert compare_samples(quiet, quiet, statistic="p10") == "same"
