"""Parts of a grid: blocks small enough to hold, and regions whose layers all take the same way."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from convcost.grids.sizes import Labels

Indices: TypeAlias = npt.NDArray[np.intp]
Region: TypeAlias = tuple[Indices, ...]
"""For every axis, the places along it; a region holds all their combinations."""


def blocks(shape: tuple[int, ...], most: int) -> Iterator[Region]:
    """The grid in parts of at most `most` configurations, in row order: whole inner axes, runs of one, single outer."""
    inner, axis = 1, len(shape)
    while axis > 0 and inner * shape[axis - 1] <= most:
        axis -= 1
        inner *= shape[axis]
    whole = tuple(np.arange(length) for length in shape[axis:])
    if axis == 0:
        yield whole
        return
    run, length = most // inner, shape[axis - 1]
    for outer in itertools.product(*map(range, shape[: axis - 1])):
        for start in range(0, length, run):
            places = np.arange(start, min(start + run, length))
            yield (*(np.array([place]) for place in outer), places, *whole)


def partition(region: Region, labels: Labels) -> Iterator[Region]:
    """The region in parts along its shortest axis on which labels differ, each part of places that look the same.

    What still differs within a part differs along fewer axes, so that repeating this comes to an end.
    """
    varying = [axis for axis in range(labels.ndim) if (labels != labels.take([0], axis=axis)).any()]
    axis = min(varying, key=lambda each: labels.shape[each])
    patterns = np.moveaxis(labels, axis, 0).reshape(labels.shape[axis], -1)
    _, kinds = np.unique(patterns, axis=0, return_inverse=True)
    kinds = kinds.reshape(-1)
    for kind in range(int(kinds.max()) + 1):
        yield (*region[:axis], region[axis][kinds == kind], *region[axis + 1 :])


def selector(region: Region) -> tuple[slice, ...] | tuple[Indices, ...]:
    """What picks the region out of an array of its block: slices, which are several times faster, where they do."""
    runs = [_run(places) for places in region]
    if all(run is not None for run in runs):
        return tuple(run for run in runs if run is not None)
    return tuple(np.ix_(*region))


def _run(places: Indices) -> slice | None:
    if len(places) == 1:
        return slice(int(places[0]), int(places[0]) + 1)
    step = int(places[1] - places[0])
    if (np.diff(places) != step).any():
        return None
    return slice(int(places[0]), int(places[-1]) + 1, step)
