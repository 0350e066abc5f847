"""Which channels to put together, so that a grouped convolution keeps as much of a kernel as it can."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from convcost.dataclasses import dataclass
from convcost.weights.layout import Kernel
from convcost.weights.read import FloatArray

Labels: TypeAlias = npt.NDArray[np.intp]
"""The group each channel belongs to; every group has equally many."""

MOST_TRIED = 20_000
STARTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """The share of energy kept by `groups` groups: of channels as they are ordered, and reordered for the most.

    `exhaustive` says that `reordered` is the maximum over all orders; otherwise it is the best that a local
    search found, and the maximum may be higher.
    """

    groups: int
    in_order: float
    reordered: float
    exhaustive: bool


def grouping(kernel: Kernel, groups: int) -> Grouping:
    """Splits each of the kernel's own groups, so that there are `groups` in all; channels stay in their own."""
    energies = np.square(kernel).sum(axis=tuple(range(3, kernel.ndim)))
    parts = groups // len(kernel)
    exhaustive = _arrangements(energies.shape[1], energies.shape[2], parts) <= MOST_TRIED
    search = _best_of_all if exhaustive else _best_found
    return Grouping(
        groups=groups,
        in_order=sum(_in_order(table, parts) for table in energies) / float(energies.sum()),
        reordered=min(sum(search(table, parts) for table in energies) / float(energies.sum()), 1.0),
        exhaustive=exhaustive,
    )


def _in_order(table: FloatArray, parts: int) -> float:
    outputs, inputs = _even(table.shape[0], parts), _even(table.shape[1], parts)
    return _kept(table, outputs, inputs, parts)


def _even(channels: int, parts: int) -> Labels:
    return np.repeat(np.arange(parts), channels // parts)


def _kept(table: FloatArray, outputs: Labels, inputs: Labels, parts: int) -> float:
    return float(_by_group(table, inputs, parts)[np.arange(len(outputs)), outputs].sum())


def _by_group(table: FloatArray, labels: Labels, parts: int) -> FloatArray:
    """What each row would keep in each group of columns."""
    worth: FloatArray = table @ (labels[:, None] == np.arange(parts)).astype(np.float64)
    return worth


def _arrangements(outputs: int, inputs: int, parts: int) -> int:
    """How many ways there are to pair a partition of the outputs with one of the inputs."""
    ways = math.factorial(outputs) * math.factorial(inputs)
    same = math.factorial(outputs // parts) ** parts * math.factorial(inputs // parts) ** parts
    return int(ways // same // math.factorial(parts))


def _best_of_all(table: FloatArray, parts: int) -> float:
    rows = np.arange(table.shape[0])
    unnamed = [np.array(labels) for labels in _partitions(table.shape[0], parts)]
    named = np.array([np.array(names)[labels] for labels in unnamed for names in itertools.permutations(range(parts))])
    return max(
        float(_by_group(table, np.array(labels), parts)[rows, named].sum(axis=1).max())
        for labels in _partitions(table.shape[1], parts)
    )


def _partitions(channels: int, parts: int) -> Iterator[tuple[int, ...]]:
    """Labels of every split into `parts` equal sets, once each: the lowest unlabelled channel opens the next set."""

    def extend(labels: dict[int, int], part: int) -> Iterator[tuple[int, ...]]:
        free = [channel for channel in range(channels) if channel not in labels]
        if not free:
            yield tuple(labels[channel] for channel in range(channels))
            return
        for others in itertools.combinations(free[1:], channels // parts - 1):
            yield from extend({**labels, **dict.fromkeys((free[0], *others), part)}, part + 1)

    return extend({}, 0)


def _best_found(table: FloatArray, parts: int) -> float:
    """Local search from the order as it is, from channels alike in what they connect to, and from random orders."""
    even = _even(table.shape[1], parts)
    generator = np.random.default_rng(0)
    starts = [even, _alike(table, parts), *(generator.permutation(even) for _ in range(STARTS - 2))]
    return max(_climb(table, start, parts) for start in starts)


def _alike(table: FloatArray, parts: int) -> Labels:
    """Inputs grouped around seeds: each seed is the input least like those before it, and takes its nearest."""
    profiles = table / np.maximum(np.linalg.norm(table, axis=0), np.finfo(np.float64).tiny)
    likeness = profiles.T @ profiles
    labels = np.full(table.shape[1], -1, dtype=np.intp)
    for part in range(parts):
        free = np.flatnonzero(labels < 0)
        taken = np.flatnonzero(labels >= 0)
        seed = free[np.argmin(likeness[np.ix_(free, taken)].sum(axis=1))] if len(taken) else free[0]
        nearest = free[np.argsort(-likeness[free, seed], kind="stable")]
        labels[nearest[: table.shape[1] // parts]] = part
    return labels


def _climb(table: FloatArray, inputs: Labels, parts: int) -> float:
    """Regroups outputs and inputs in turn until neither keeps more."""
    outputs = _even(table.shape[0], parts)
    kept = -1.0
    while (now := _kept(table, outputs, inputs, parts)) > kept * (1 + 1e-12):
        kept = now
        outputs = _regroup(_by_group(table, inputs, parts), outputs)
        inputs = _regroup(_by_group(table.T, outputs, parts), inputs)
    return now


def _regroup(worth: FloatArray, labels: Labels) -> Labels:
    """Exchanges channels between groups while that gains; `worth[i, k]` is what channel i keeps in group k.

    Between two groups the exchange is the best there is: those who gain most by moving, in pairs.
    """
    labels = labels.copy()
    least = 1e-12 * float(worth.max())
    pairs = list(itertools.combinations(range(worth.shape[1]), 2))
    while sum(_exchange(worth, labels, one, other, least) for one, other in pairs):
        pass
    return labels


def _exchange(worth: FloatArray, labels: Labels, one: int, other: int, least: float) -> bool:
    gain = worth[:, other] - worth[:, one]
    leaving = np.flatnonzero(labels == one)
    coming = np.flatnonzero(labels == other)
    leaving = leaving[np.argsort(-gain[leaving], kind="stable")]
    coming = coming[np.argsort(gain[coming], kind="stable")]
    swaps = int(np.count_nonzero(gain[leaving] - gain[coming] > least))
    labels[leaving[:swaps]], labels[coming[:swaps]] = other, one
    return swaps > 0
