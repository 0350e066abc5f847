"""Many targets at once, on every core, with results in the order they were asked for."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from functools import partial

from convcost.analysis import Analysis
from convcost.errors import ConvcostError, SourceError
from convcost.sources.request import Request
from convcost.targets.analyze import analysis_of

_WORTH_A_PROCESS = 4
"""From this many targets on, the start of a second process is soon made up for."""

_FILES = (".onnx", ".onnx.gz", ".yaml", ".yml", ".json")
"""PyTorch takes each process seconds to load, and its threads must not be forked."""


def analyses_of(requests: Sequence[Request], *, backward: bool = False) -> tuple[Analysis, ...]:
    """Every target analyzed; the first in order that cannot be read raises its error.

    From four files on, other processes share the work: forked after the first file, whose libraries they inherit.
    """
    read = partial(_read, backward=backward)
    if len(requests) < _WORTH_A_PROCESS or _cores() < 2 or not _may_fork(requests):
        return tuple(map(read, requests))
    first = read(requests[0])
    from concurrent.futures import ProcessPoolExecutor

    context = multiprocessing.get_context("fork")
    processes = min(_cores(), len(requests) - 1)
    share = max((len(requests) - 1) // (4 * processes), 1)
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_leave_interrupts_to_the_parent) as pool:
        try:
            return (first, *pool.map(read, requests[1:], chunksize=share))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _read(request: Request, *, backward: bool) -> Analysis:
    try:
        return analysis_of(request, backward=backward)
    except ConvcostError as error:
        if not request.label:
            raise
        raise SourceError(f"{request.label}: {error.message}", hint=error.hint) from error


def _is_file(target: str) -> bool:
    return target.endswith(_FILES) and not target.startswith("hf:")


def _may_fork(requests: Sequence[Request]) -> bool:
    linux = sys.platform == "linux"  # elsewhere, system libraries do not survive a fork
    return linux and "torch" not in sys.modules and all(_is_file(request.target) for request in requests)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _cores() -> int:
    with contextlib.suppress(AttributeError):  # not every system knows which cores are ours
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
