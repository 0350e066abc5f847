"""Blocks cover a grid in row order, and regions part where layers differ."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.grids.regions import blocks, partition, selector

SHAPES = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)


@given(shape=SHAPES, most=st.integers(1, 200))
def test_blocks_one_after_the_other_are_the_whole_grid_in_row_order(shape: tuple[int, ...], most: int) -> None:
    numbered = np.arange(math.prod(shape)).reshape(shape)
    found = [numbered[np.ix_(*places)].reshape(-1) for places in blocks(shape, most)]
    assert np.concatenate(found).tolist() == list(range(numbered.size))
    assert max(map(len, found)) <= most


@given(shape=SHAPES, data=st.data())
def test_parting_ends_in_regions_that_agree_and_cover_everything_once(
    shape: tuple[int, ...], data: st.DataObject
) -> None:
    values = data.draw(st.lists(st.booleans(), min_size=math.prod(shape), max_size=math.prod(shape)))
    labels, seen = np.array(values).reshape(shape), np.zeros(shape, dtype=int)
    waiting = [tuple(np.arange(length) for length in shape)]
    while waiting:
        region = waiting.pop()
        part = labels[np.ix_(*region)]
        if part.all() or not part.any():
            seen[selector(region)] += 1
        else:
            waiting.extend(partition(region, part))
    assert (seen == 1).all()


@pytest.mark.parametrize("places", [(0, 1, 2), (1, 3, 5), (4,), (0, 1, 3)])
def test_a_selector_picks_what_the_region_lists(places: tuple[int, ...]) -> None:
    values = np.arange(12).reshape(2, 6)
    region = (np.array([1]), np.array(places))
    assert values[selector(region)].tolist() == values[np.ix_(*region)].tolist()
