"""How timings are taken: warm up, sample in turn, and stop when the median is known. Pure: clocks are injected."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field
from typing import TypeAlias

from convcost.dataclasses import dataclass
from convcost.graph.collection import uncollected
from convcost.latency import statistics

Clock: TypeAlias = Callable[[], float]
"""Seconds since some fixed moment."""

Subject: TypeAlias = Callable[[int], float]
"""Runs the thing measured that many times, one after the other, and gives the seconds it took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """The rules of a measurement. Times are seconds, per subject; `max_time` includes the warm-up.

    `warm_up_share` of `max_time` is the most that warming up may use, and `steady` how well the medians of
    two windows of `window` warm-up batches must agree.
    """

    warm_up: float = 0.2
    warm_up_share: float = 0.3
    window: int = 3
    steady: float = 0.05
    sample_time: float = 0.001
    min_samples: int = 10
    min_time: float = 0.5
    precision: float = 0.01
    max_time: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Seconds per call, in the order taken, of one subject; nothing was left out.

    `first_run` is the very first call, which is no sample; None where there was none, as in a profiled run.
    """

    first_run: float | None
    times: tuple[float, ...] = ()
    calls: int = 1
    warm_up: float = 0.0
    converged: bool = False
    partial: bool = False

    @property
    def drift(self) -> float | None:
        return statistics.drift(self.times)


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A subject after its first run, which took `first_run` seconds and is reported apart."""

    subject: Subject
    first_run: float


def take_samples(started: Sequence[Started], protocol: Protocol, clock: Clock) -> tuple[Samples, ...]:
    """Measures side by side, one sample of each in turn, until all are known or time is up.

    They keep pace with each other, so that whatever the machine does meanwhile happens to all of them. A
    keyboard interrupt ends the measurement; what was measured until then comes back, marked partial.
    """
    series = [_Series(each.subject, each.first_run) for each in started]
    interrupted = False
    with collector_off():
        try:
            for each in series:
                _warm_up(each, protocol, clock)
            _sample(series, protocol, clock)
        except KeyboardInterrupt:
            interrupted = True
    return tuple(each.result(protocol, partial=interrupted) for each in series)


@contextmanager
def collector_off() -> Iterator[None]:
    """Collects garbage once, then not again inside; the collector is left as it was found."""
    gc.collect()
    with uncollected():
        yield


@dataclass(slots=True, eq=False)
class _Series:
    subject: Subject
    first_run: float
    warmed: float = 0.0
    steady: bool = False
    calls: int = 1
    times: list[float] = field(default_factory=list)
    total: float = 0.0
    spent: float = 0.0
    next_look: int = 0
    known: bool = False

    def result(self, protocol: Protocol, *, partial: bool) -> Samples:
        return Samples(
            first_run=self.first_run,
            times=tuple(self.times),
            calls=self.calls,
            warm_up=self.warmed,
            converged=self.steady and not partial and _is_known(self, protocol),
            partial=partial,
        )


def _warm_up(series: _Series, protocol: Protocol, clock: Clock) -> None:
    """Runs until the warm-up time is over and two windows of batches agree, or the warm-up's share is used up."""
    begun = clock()
    limit = protocol.warm_up_share * protocol.max_time
    batches: list[float] = []
    per_call = series.first_run
    while not (series.steady and series.warmed >= protocol.warm_up) and series.warmed < limit:
        series.calls = _calls_for(protocol.sample_time, per_call)
        per_call = series.subject(series.calls) / series.calls
        batches.append(per_call)
        series.warmed = clock() - begun
        series.steady = _is_steady(batches, protocol)
    # The fastest of the recent batches decides, so that samples do not fall short when the machine is at its best.
    series.calls = _calls_for(1.1 * protocol.sample_time, min(batches[-2 * protocol.window :], default=per_call))


def _is_steady(batches: Sequence[float], protocol: Protocol) -> bool:
    window = protocol.window
    if len(batches) < 2 * window:
        return False
    before = statistics.median(batches[-2 * window : -window])
    return abs(statistics.median(batches[-window:]) - before) <= protocol.steady * before


def _calls_for(seconds: float, per_call: float) -> int:
    return max(1, math.ceil(seconds / per_call)) if per_call > 0 else 1


def _sample(series: Sequence[_Series], protocol: Protocol, clock: Clock) -> None:
    """One round after the other; everyone goes first as often as the others, for what runs before leaves the caches."""
    for each in series:
        each.spent = each.warmed
    turn = 0
    while waiting := [each for each in series if not each.known and each.spent < protocol.max_time]:
        pace = max(each.spent for each in waiting)
        # What is known goes on beside what is not, but a dear one does not make the cheap ones wait.
        taking_part = [each for each in series if each in waiting or (each.known and each.spent <= pace)]
        for offset in range(len(taking_part)):
            each = taking_part[(turn + offset) % len(taking_part)]
            begun = clock()
            _sample_once(each, protocol, settle=len(taking_part) > 1)
            each.spent += clock() - begun
            _look(each, protocol)
        turn += 1


def _sample_once(series: _Series, protocol: Protocol, *, settle: bool) -> None:
    """Takes one sample. With `settle`, an untimed call first brings back the caches that another subject used."""
    if settle:
        series.subject(1)
    taken = series.subject(series.calls)
    while taken < protocol.sample_time:
        # Too short to be trusted: it becomes part of the warm-up, and samples get longer from here on.
        series.calls = max(2 * series.calls, _calls_for(1.5 * protocol.sample_time, taken / series.calls))
        taken = series.subject(series.calls)
    series.times.append(taken / series.calls)
    series.total += taken


def _look(series: _Series, protocol: Protocol) -> None:
    """Decides whether the median is known, at sample counts that grow by a tenth.

    Looking after every sample would stop at the first lucky moment, and costs quadratic time.
    """
    if len(series.times) >= series.next_look:
        series.next_look = math.ceil(1.1 * len(series.times))
        series.known = _is_known(series, protocol)


def _is_known(series: _Series, protocol: Protocol) -> bool:
    """Enough samples, over enough time, an interval within the precision, and no drift."""
    times = series.times
    if len(times) < protocol.min_samples or series.total < protocol.min_time:
        return False
    middle = statistics.median(times)
    interval = statistics.median_interval(times)
    return interval.within(protocol.precision, of=middle) and statistics.drift(times) is None
