"""A block's results, small enough to come from another process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from convcost.alternatives import CountedMap
from convcost.grids.evaluate import evaluate_block
from convcost.grids.files import Encoded, encoded
from convcost.grids.regions import Region
from convcost.grids.rows import Rows
from convcost.grids.summary import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a block adds to the summary, and to a file of each format."""

    tally: Tally
    encoded: Mapping[str, Encoded]


def part_of(places: Region, *, rows: Rows, df: CountedMap, formats: Sequence[str]) -> Part:
    """One block of the grid, counted; raises `UsageError` where a count could pass 64 bits."""
    block = evaluate_block(places, rows.grid, rows.alternatives, df)
    tally = Tally(len(rows.alternatives))
    tally.add(block)
    return Part(tally=tally, encoded={name: encoded(name, rows, block) for name in formats})
