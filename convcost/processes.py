"""Work shared with other processes, its results in the order of the work."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import TypeVar

from convcost.errors import SourceError

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_WORTH_A_PROCESS = 4
"""From this many items on, the start of a second process is soon made up for."""


def in_order(
    work: Callable[[_Item], _Result],
    items: Sequence[_Item],
    *,
    jobs: int,
    ahead: int = 4,
    may_share: Callable[[_Item], bool] = lambda item: True,
) -> Generator[_Result, None, None]:
    """The result of every item, on so many processes at a time; what may not be shared is done here, in its turn.

    Others take part from four items on, forked after the first, whose libraries they inherit. `ahead` bounds how many
    results for each of them wait for their turn. Raises `SourceError` when the system ends one of the processes.
    """
    shared = sum(map(may_share, items))
    if shared < _WORTH_A_PROCESS or jobs < 2 or not may_fork():
        yield from map(work, items)
        return
    first = 1 if may_share(items[0]) else 0
    yield from map(work, items[:first])
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    context = multiprocessing.get_context("fork")
    processes = min(jobs, shared)
    with ProcessPoolExecutor(processes, context, _leave_interrupts_to_the_parent) as pool:
        pool.submit(int)  # starts all of them, before anything that is done here loads a framework
        waiting: deque[Callable[[], _Result]] = deque()
        try:
            for item in items[first:]:
                waiting.append(pool.submit(work, item).result if may_share(item) else partial(work, item))
                if len(waiting) > ahead * processes:
                    yield waiting.popleft()()
            while waiting:
                yield waiting.popleft()()
        except BrokenProcessPool as error:
            raise SourceError(
                "a process that shared the work was ended by the system, perhaps for its memory",
                hint="--jobs 1 reads files one by one, and shows which one it is",
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def cores() -> int:
    """How many this process may use."""
    with contextlib.suppress(AttributeError):  # not every system knows which cores are ours
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def may_fork() -> bool:
    """Only on Linux, and before torch is loaded: elsewhere, system libraries and their threads do not survive it."""
    return sys.platform == "linux" and "torch" not in sys.modules


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
