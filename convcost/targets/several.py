"""Many targets at once, on every core, with results in the order they were asked for."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from convcost.analysis import Analysis
from convcost.sources.request import Request
from convcost.targets.analyze import analysis_of

_WORTH_A_PROCESS = 4
"""From this many targets on, the start of a second process is soon made up for."""


def analyses_of(requests: Sequence[Request], *, backward: bool = False) -> tuple[Analysis, ...]:
    """Every target analyzed; the first in order that cannot be read raises its error."""
    read = partial(analysis_of, backward=backward)
    processes = min(_cores(), len(requests) // (_WORTH_A_PROCESS // 2))
    if len(requests) < _WORTH_A_PROCESS or processes < 2:
        return tuple(map(read, requests))
    # Forking is only safe before a framework has started threads; it spares each process the imports.
    can_fork = "fork" in multiprocessing.get_all_start_methods() and "torch" not in sys.modules
    context = multiprocessing.get_context("fork" if can_fork and sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_leave_interrupts_to_the_parent) as pool:
        try:
            return tuple(pool.map(read, requests))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _cores() -> int:
    with contextlib.suppress(AttributeError):  # not every system knows which cores are ours
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
