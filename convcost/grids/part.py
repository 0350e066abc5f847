"""A grid block by block on several threads, which NumPy and pyarrow let run at once for most of the work."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from convcost.alternatives import CountedMap
from convcost.dataclasses import dataclass
from convcost.grids.evaluate import BLOCK, evaluate_block
from convcost.grids.files import Encoded, encoded
from convcost.grids.regions import Region, blocks
from convcost.grids.rows import Rows
from convcost.grids.summary import Tally

_FEW = 32
"""Alternatives for which a whole block is little memory; with more of them it holds fewer configurations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a block adds to the summary, and to a file of each format."""

    tally: Tally
    encoded: Mapping[str, Encoded]


def parts(rows: Rows, *, df: CountedMap, formats: Sequence[str], threads: int) -> Generator[Part, None, None]:
    """All of the grid in row order, at most one part more than there are threads in memory at a time.

    Raises `UsageError` where a count could pass 64 bits.
    """
    most = max(1, BLOCK * _FEW // max(_FEW, len(rows.alternatives)))
    waiting: deque[Future[Part]] = deque()
    with ThreadPoolExecutor(threads) as pool, contextlib.ExitStack() as ending:
        ending.callback(pool.shutdown, wait=False, cancel_futures=True)
        for places in blocks(rows.grid.shape, most):
            waiting.append(pool.submit(_part, places, rows, df, formats))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _part(places: Region, rows: Rows, df: CountedMap, formats: Sequence[str]) -> Part:
    """One block of the grid."""
    block = evaluate_block(places, rows.grid, rows.alternatives, df)
    tally = Tally(len(rows.alternatives))
    tally.add(block)
    return Part(tally=tally, encoded={name: encoded(name, rows, block) for name in formats})
