"""What every runtime hands to the protocol."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from convcost.dataclasses import dataclass
from convcost.latency.protocol import Clock, Subject

_ERROR_NUMBER = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ")
_SOURCE_PLACE = re.compile(r"(?:Load model from .*? failed: ?)?(?:\S+\.(?:cc|cpp|h|cu|cuh):\d+ .*?\)(?: const)? )?")
"""Where in the runtime's own code an error arose: a file and line, then the signature of a C++ function."""


class UnrunnableError(Exception):
    """A workload that cannot be run in a setting. It becomes a `NotMeasurable` before a user sees it.

    `detail` is all that the runtime said, where it said anything.
    """

    def __init__(self, reason: str, *, needed_bytes: int | None = None, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.needed_bytes = needed_bytes
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A workload loaded, its inputs allocated: all that is left is to call it.

    `settle` is called once after the first run and gives what is timed from then on, such as a captured graph,
    with notes about it; by default the same as before. `spent` is the processor time, in seconds, of another process
    that does the work.
    """

    subject: Subject
    device_name: str
    notes: tuple[str, ...] = ()
    settle: Callable[[], tuple[Subject, tuple[str, ...]]] | None = None
    spent: Callable[[], float] | None = None


def host_timed(call: Callable[[], object], clock: Clock = time.perf_counter) -> Subject:
    """Times calls by the host's clock, for runtimes whose calls return when the work is done."""

    def seconds(calls: int) -> float:
        result = None
        begun = clock()
        for _ in range(calls):
            # Held until the next call: a result that is freed at once gives an allocator too easy a life.
            result = call()
        ended = clock()
        del result
        return ended - begun

    return seconds


def first_line(error: BaseException) -> str:
    """A runtime's complaint, in one line and without the place in the runtime's own code.

    >>> first_line(RuntimeError("[ONNXRuntimeError] : 1 : FAIL : /src/model.cc:256 Model::Model(int) Unsupported IR"))
    'Unsupported IR'
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    said = _ERROR_NUMBER.sub("", lines[0])
    return (_SOURCE_PLACE.sub("", said, count=1) or said)[:300]
