"""What a handful of timings can and cannot say: medians, their intervals, and rank tests. Pure."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, TypeAlias

from convcost.dataclasses import dataclass

FAR_OUT = 3.0
"""Interquartile ranges beyond the quartiles from which a sample counts as an outlier (Tukey 1977, "far out")."""

EXACT_LIMIT = 20
"""Largest group for which the rank test enumerates; beyond, the normal approximation errs by less than 0.004."""

Comparison: TypeAlias = Literal["faster", "slower", "same", "cannot tell"]
Statistic: TypeAlias = Literal["median", "p10"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A range that holds the true value with the confidence it was made for."""

    low: float
    high: float

    def within(self, share: float, *, of: float) -> bool:
        """Whether neither end is further than `share` of the value `of` away from it."""
        return max(self.high - of, of - self.low) <= share * of


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the samples lie, interpolated linearly between neighbours.

    >>> quantile([4.0, 1.0, 3.0, 2.0], 0.5)
    2.5
    """
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


def median(values: Sequence[float]) -> float:
    return quantile(values, 0.5)


def median_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """The narrowest symmetric pair of order statistics that holds the median with at least `confidence`.

    Assumes nothing about the distribution. With fewer than six samples no pair reaches 95 %, and the
    interval is the whole range. Source: David & Nagaraja, Order Statistics, 7.1.
    """
    ordered = sorted(values)
    rank = interval_rank(len(ordered), confidence)
    return Interval(low=ordered[rank], high=ordered[-1 - rank])


def p10_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """The order statistics that hold the tenth percentile with at least `confidence`; the whole range below 36 samples.

    Noise that slows many runs down widens it less than the median's. Source: David & Nagaraja, Order Statistics, 7.1.
    """
    ordered = sorted(values)
    low, high = _p10_ranks(len(ordered), confidence)
    return Interval(low=ordered[low], high=ordered[high])


@lru_cache(maxsize=256)
def _p10_ranks(count: int, confidence: float) -> tuple[int, int]:
    """The smallest pair of ranks with at most half of what may be missed on either side, by the binomial's tails."""
    allowed, below, ranks = (1 - confidence) / 2, 0.0, list[int]()
    for successes in range(count):
        log_ways = math.lgamma(count + 1) - math.lgamma(successes + 1) - math.lgamma(count - successes + 1)
        below += math.exp(log_ways + successes * math.log(0.1) + (count - successes) * math.log(0.9))
        if not ranks and below > allowed:
            ranks.append(successes - 1)
        if below >= 1 - allowed:
            ranks.append(successes)
            break
    whole = len(ranks) < 2 or ranks[0] < 0
    return (0, count - 1) if whole else (ranks[0], ranks[1])


@lru_cache(maxsize=4096)
def interval_rank(count: int, confidence: float) -> int:
    """How many of `count` ordered samples lie below the interval's lower end (and above its upper one).

    The largest r with P(Binomial(count, 1/2) <= r) <= (1 - confidence) / 2, exactly; 0 where there is none.

    >>> interval_rank(10, 0.95)
    1
    """
    # Integers throughout: 2**count overflows a float from 1024 samples on.
    allowed = math.floor((1 - confidence) / 2 * 2**53) * 2**count >> 53
    tail, term = 0, 1
    for rank in range(count // 2 + 1):
        tail += term
        if tail > allowed:
            return max(rank - 1, 0)
        term = term * (count - rank) // (rank + 1)
    return max((count - 1) // 2, 0)


def count_outliers(values: Sequence[float]) -> int:
    """Samples more than `FAR_OUT` interquartile ranges outside the quartiles."""
    low, high = quantile(values, 0.25), quantile(values, 0.75)
    reach = FAR_OUT * (high - low)
    return sum(not low - reach <= value <= high + reach for value in values)


def rank_test(first: Sequence[float], second: Sequence[float]) -> float:
    """Two-sided p-value that both groups come from one distribution (Mann & Whitney 1947).

    Exact by enumeration up to `EXACT_LIMIT` samples a side without ties; otherwise the normal approximation
    with corrections for ties and continuity. 1.0 where a group is empty.
    """
    if not first or not second:
        return 1.0
    ordered = sorted(second)
    # U counts the pairs in which the first group's value is larger; a tie is half a pair.
    doubled = sum(bisect_left(ordered, value) + bisect_right(ordered, value) for value in first)
    pooled = sorted([*first, *second])
    ties = _tie_sizes(pooled)
    if max(len(first), len(second)) <= EXACT_LIMIT and len(ties) == len(pooled):
        return _exact_p(doubled // 2, len(first), len(second))
    return _normal_p(doubled / 2, len(first), len(second), ties)


def drift(values: Sequence[float], *, share: float = 0.02, significance: float = 0.01) -> float | None:
    """How far the last third's median lies from the first third's, as a share of it; None where nothing moved.

    Both the size (`share`) and a rank test (`significance`) must say so.
    """
    third = len(values) // 3
    if third < 3:
        return None
    before, after = values[:third], values[-third:]
    change = median(after) / median(before) - 1
    return change if abs(change) > share and rank_test(before, after) < significance else None


def compare_samples(
    base: Sequence[float],
    head: Sequence[float],
    *,
    threshold: float = 1.05,
    significance: float = 0.01,
    statistic: Statistic = "median",
) -> Comparison:
    """What `head` is beside `base`: a difference only if the ratio passes `threshold` and the rank test agrees.

    "same" needs the ratio's own uncertainty to lie inside the threshold; everything else cannot be told.
    """
    if min(len(base), len(head)) < 3:
        return "cannot tell"
    share = 0.5 if statistic == "median" else 0.1
    ratio = quantile(head, share) / quantile(base, share)
    differs = rank_test(base, head) < significance
    if differs and ratio > threshold:
        return "slower"
    if differs and ratio < 1 / threshold:
        return "faster"
    interval = median_interval if statistic == "median" else p10_interval
    a, b = interval(base), interval(head)
    contained = 1 / threshold <= b.low / a.high and b.high / a.low <= threshold
    return "same" if contained and 1 / threshold <= ratio <= threshold else "cannot tell"


def _tie_sizes(ordered: Sequence[float]) -> list[int]:
    sizes: list[int] = []
    for index, value in enumerate(ordered):
        if index and value == ordered[index - 1]:
            sizes[-1] += 1
        else:
            sizes.append(1)
    return sizes


def _exact_p(u: int, m: int, n: int) -> float:
    counts = _u_counts(m, n)
    smaller = min(u, m * n - u)
    return min(1.0, 2 * sum(counts[: smaller + 1]) / math.comb(m + n, m))


@lru_cache(maxsize=64)
def _u_counts(m: int, n: int) -> tuple[int, ...]:
    """How many of the orderings of m and n values have U = 0, 1 …: the Gaussian binomial's coefficients."""
    counts = [1] + [0] * (m * n)
    for size in range(1, m + 1):
        for u in range(m * n, n + size - 1, -1):
            counts[u] -= counts[u - n - size]
        for u in range(size, m * n + 1):
            counts[u] += counts[u - size]
    return tuple(counts)


def _normal_p(u: float, m: int, n: int, ties: Sequence[int]) -> float:
    total = m + n
    tied = sum(size**3 - size for size in ties) / (total * (total - 1))
    variance = m * n / 12 * (total + 1 - tied)
    if variance <= 0:
        return 1.0
    distance = max(abs(u - m * n / 2) - 0.5, 0.0)
    return math.erfc(distance / math.sqrt(2 * variance))
