"""Many targets at once, on every core, with results in the order they were asked for."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from convcost.analysis import Analysis, Json
from convcost.errors import ConvcostError, SourceError
from convcost.sources.request import Request
from convcost.targets.analyze import analysis_of

if TYPE_CHECKING:
    from concurrent.futures import Future

_Result = TypeVar("_Result")

_WORTH_A_PROCESS = 4
"""From this many targets on, the start of a second process is soon made up for."""

_AHEAD = 4
"""Files read for each process before their turn: enough to keep all busy, few enough to hold."""

_FILES = (".onnx", ".onnx.gz", ".yaml", ".yml", ".json")
"""PyTorch takes each process seconds to load, and its threads must not be forked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A target that could not be analyzed, in the words of its error; `trace` is where that was raised."""

    target: str
    message: str
    hint: str
    trace: str

    def to_json(self) -> dict[str, Json]:
        return {"target": self.target, "error": {"message": self.message, "hint": self.hint}}


def analyses_of(requests: Sequence[Request], *, backward: bool = False) -> tuple[Analysis, ...]:
    """Every target analyzed; the first in order that cannot be read raises its error."""
    return tuple(_in_order(partial(_read, backward=backward), requests, _cores()))


def outcomes_of(
    requests: Sequence[Request], *, backward: bool = False, jobs: int | None = None
) -> Iterator[Analysis | Failure]:
    """The same one after the other, as soon as those before are there; what cannot be read is one of them.

    `jobs` is how many are read at a time, by default as many as there are cores; results are the same at any number.
    """
    done = 0
    try:
        for outcome in _in_order(partial(_outcome, backward=backward), requests, jobs or _cores()):
            done += 1
            yield outcome
    except SourceError as error:  # which file it was cannot be told any more
        yield from (_failure(request, error.message, error.hint) for request in requests[done:])


def _in_order(read: Callable[[Request], _Result], requests: Sequence[Request], jobs: int) -> Iterator[_Result]:
    """Files are shared with other processes from four on, forked after the first, whose libraries they inherit."""
    files = [request for request in requests if _is_file(request.target)]
    if len(files) < _WORTH_A_PROCESS or jobs < 2 or not _may_fork():
        yield from map(read, requests)
        return
    yield read(requests[0])
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_leave_interrupts_to_the_parent) as pool:
        waiting: deque[Future[_Result] | Request] = deque()
        try:
            for request in requests[1:]:
                # What is no file is read here, in its turn: frameworks do not survive a fork.
                waiting.append(pool.submit(read, request) if _is_file(request.target) else request)
                if len(waiting) > _AHEAD * jobs:
                    yield _result(waiting.popleft(), read)
            while waiting:
                yield _result(waiting.popleft(), read)
        except BrokenProcessPool as error:
            raise SourceError(
                "a process that read files was ended by the system, perhaps for its memory",
                hint="--jobs 1 reads them one by one, and shows which file it is",
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _result(waiting: Future[_Result] | Request, read: Callable[[Request], _Result]) -> _Result:
    return read(waiting) if isinstance(waiting, Request) else waiting.result()


def _outcome(request: Request, *, backward: bool) -> Analysis | Failure:
    try:
        return _read(request, backward=backward)
    except ConvcostError as error:
        return _failure(request, error.message, error.hint)
    except Exception as error:
        hint = "this is a fault in convcost: please report it, with what -v prints"
        return _failure(request, f"{request.target}: {type(error).__name__}: {error}", hint)


def _failure(request: Request, message: str, hint: str) -> Failure:
    return Failure(target=request.target, message=message, hint=hint, trace=traceback.format_exc())


def _read(request: Request, *, backward: bool) -> Analysis:
    try:
        return analysis_of(request, backward=backward)
    except ConvcostError as error:
        if not request.label:
            raise
        raise SourceError(f"{request.label}: {error.message}", hint=error.hint) from error


def _is_file(target: str) -> bool:
    return target.endswith(_FILES) and not target.startswith("hf:")


def _may_fork() -> bool:
    return sys.platform == "linux" and "torch" not in sys.modules  # elsewhere, system libraries do not survive a fork


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _cores() -> int:
    with contextlib.suppress(AttributeError):  # not every system knows which cores are ours
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
