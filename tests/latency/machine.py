"""A machine whose clock only moves when something runs on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from convcost.latency.protocol import Protocol, Samples, Started, Subject, take_samples


class FakeMachine:
    """`clock` is its time; subjects made by `subject` advance it, and `log` keeps what ran, in order."""

    def __init__(self) -> None:
        self.now = 0.0
        self.log: list[tuple[str, int]] = []

    def clock(self) -> float:
        return self.now

    def subject(self, per_call: Callable[[], float], name: str = "a") -> Subject:
        def seconds(calls: int) -> float:
            self.log.append((name, calls))
            taken = calls * per_call()
            self.now += taken
            return taken

        return seconds


def cycle(values: Sequence[float]) -> Callable[[], float]:
    """The values over and over, one each time something is run."""

    def endless() -> Iterator[float]:
        while True:
            yield from values

    stream = endless()
    return lambda: next(stream)


def sampled(machine: FakeMachine, *subjects: Subject, **rules: float) -> tuple[Samples, ...]:
    started = [Started(subject=each, first_run=each(1)) for each in subjects]
    return take_samples(started, Protocol(**rules), machine.clock)
