"""Timing on a GPU: by its own events, replaying a captured graph where that works. Clocks are never changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from convcost.latency.protocol import Subject
from convcost.latency.runners.prepared import first_line

_CALLS_BEFORE_CAPTURE = 3
"""Eager calls that libraries need to choose algorithms and allocate workspaces, which capture forbids."""


class Span(Protocol):
    """Two moments in a GPU's queue."""

    def begin(self) -> None: ...

    def end(self) -> None: ...

    def milliseconds(self) -> float:
        """The time between them, both having happened."""
        ...


class Gpu(Protocol):
    """The little of `torch.cuda` that timing needs."""

    def span(self) -> Span: ...

    def synchronize(self) -> None: ...

    def capture(self, call: Callable[[], object]) -> Callable[[], object]:
        """Records the work of `call` and gives what replays it. Raises `RuntimeError` for what cannot be recorded."""
        ...


def event_timed(call: Callable[[], object], gpu: Gpu, flush: Callable[[], object] | None = None) -> Subject:
    """Times calls between events in the GPU's queue.

    With `flush` each call is timed alone after it, for otherwise a single layer finds its operands in the L2
    cache, where its predecessor's results would be in a network.
    """

    def together(calls: int) -> float:
        span = gpu.span()
        gpu.synchronize()
        span.begin()
        result = None
        for _ in range(calls):
            result = call()
        span.end()
        gpu.synchronize()
        del result
        return span.milliseconds() / 1000

    def one_by_one(calls: int) -> float:
        spans = [gpu.span() for _ in range(calls)]
        gpu.synchronize()
        for span in spans:
            if flush is not None:
                flush()
            span.begin()
            call()
            span.end()
        gpu.synchronize()
        return sum(span.milliseconds() for span in spans) / 1000

    return together if flush is None else one_by_one


def captured(call: Callable[[], object], gpu: Gpu) -> tuple[Callable[[], object], str]:
    """The call as a captured graph, and a note that says so; the call itself, and why, where it cannot be captured."""
    try:
        for _ in range(_CALLS_BEFORE_CAPTURE):
            call()
        gpu.synchronize()
        return gpu.capture(call), "replayed as a CUDA graph: the time to launch kernels one by one is not in it"
    except RuntimeError as error:
        gpu.synchronize()
        return call, f"run eagerly, for it cannot be captured as a CUDA graph ({first_line(error)})"
