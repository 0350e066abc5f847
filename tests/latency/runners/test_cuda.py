"""Timing by events, on a GPU that only keeps a list."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from convcost.latency.runners.cuda import captured, event_timed


class FakeGpu:
    """Work is queued and takes time only there; what was done, and when it was waited for, is in `log`."""

    def __init__(self, refuse: str = "") -> None:
        self.queue = 0.0
        self.log: list[str] = []
        self.refuse = refuse

    def work(self, milliseconds: float, name: str = "work") -> Callable[[], object]:
        def call() -> object:
            self.log.append(name)
            self.queue += milliseconds
            return name

        return call

    def span(self) -> FakeSpan:
        return FakeSpan(self)

    def synchronize(self) -> None:
        self.log.append("wait")

    def capture(self, call: Callable[[], object]) -> Callable[[], object]:
        if self.refuse:
            raise RuntimeError(self.refuse)
        return self.work(0.5, "replay")


class FakeSpan:
    def __init__(self, gpu: FakeGpu) -> None:
        self.gpu = gpu
        self.moments: list[float] = []

    def begin(self) -> None:
        self.moments.append(self.gpu.queue)

    def end(self) -> None:
        self.moments.append(self.gpu.queue)

    def milliseconds(self) -> float:
        begin, end = self.moments
        assert self.gpu.log[-1] == "wait", "read before the GPU was waited for"
        return end - begin


def test_calls_are_timed_together_between_two_events():
    gpu = FakeGpu()
    assert event_timed(gpu.work(2.0), gpu)(5) == pytest.approx(0.010)
    assert gpu.log == ["wait", *["work"] * 5, "wait"]


def test_the_cache_is_flushed_before_every_call_and_not_timed():
    gpu = FakeGpu()
    assert event_timed(gpu.work(2.0), gpu, gpu.work(7.0, "flush"))(3) == pytest.approx(0.006)
    assert gpu.log == ["wait", *["flush", "work"] * 3, "wait"]


def test_a_captured_graph_is_replayed_after_eager_calls():
    gpu = FakeGpu()
    replay, note = captured(gpu.work(2.0), gpu)
    assert gpu.log == ["work", "work", "work", "wait"]
    replay()
    assert gpu.log[-1] == "replay"
    assert "CUDA graph" in note


def test_what_cannot_be_captured_runs_eagerly_and_says_why():
    gpu = FakeGpu(refuse="operation not permitted when stream is capturing\nmore text")
    call = gpu.work(2.0)
    kept, note = captured(call, gpu)
    assert kept is call
    assert note.endswith("(operation not permitted when stream is capturing)")
