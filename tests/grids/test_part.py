"""Blocks counted on several threads come in row order, few at a time."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from convcost.alternatives import DEFAULT_ALTERNATIVES, CountedMap, Grouped
from convcost.errors import UsageError
from convcost.grids import Grid, Rows, part
from convcost.grids.part import Part, parts
from convcost.grids.regions import Region

ROWS = Rows(
    grid=Grid.of(["kernel=1,3", "padding=same,0", "in_channels=4,6", "out_channels=8", "input=2,9"]),
    alternatives=DEFAULT_ALTERNATIVES,
)


def lines(threads: int) -> bytes:
    found = parts(ROWS, df="output", formats=("csv",), threads=threads)
    return b"".join(line for each in found for line in each.encoded["csv"])  # type: ignore[attr-defined]


def test_rows_are_in_the_grids_order_on_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = lines(1)
    monkeypatch.setattr(part, "BLOCK", 1)
    count = part._part

    def slow_at_first(places: Region, rows: Rows, df: CountedMap, formats: Sequence[str]) -> Part:
        time.sleep(0.01 * (places[0][0] == 0))
        return count(places, rows, df, formats)

    monkeypatch.setattr(part, "_part", slow_at_first)
    assert lines(4) == whole


def test_no_more_blocks_are_counted_ahead_than_there_are_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = []

    def noted(places: Region, rows: Rows, df: CountedMap, formats: Sequence[str]) -> Part:
        begun.append(places)
        return Part(tally=part.Tally(0), encoded={})

    monkeypatch.setattr(part, "BLOCK", 1)
    monkeypatch.setattr(part, "_part", noted)
    found = parts(ROWS, df="output", formats=(), threads=2)
    for taken in range(1, 6):
        next(found)
        assert len(begun) <= taken + 2
    found.close()
    assert len(begun) < ROWS.grid.size


def test_blocks_are_smaller_where_alternatives_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "BLOCK", 8)
    grid = Grid.of(["kernel=3", "in_channels=1..16", "out_channels=8", "input=9"])
    rows = Rows(grid=grid, alternatives=tuple(Grouped(groups=groups) for groups in range(1, 129)))
    assert [each.tally.layers for each in parts(rows, df="output", formats=(), threads=2)] == [2] * 8


def test_what_ends_one_block_ends_them_all() -> None:
    huge = Grid.of(["kernel=3", "in_channels=999999999", "out_channels=999999999", "input=999999999"])
    with pytest.raises(UsageError, match="more than 64 bits"):
        list(parts(Rows(grid=huge, alternatives=DEFAULT_ALTERNATIVES), df="output", formats=(), threads=2))
