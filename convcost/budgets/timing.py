"""Measured time held to budgets: a machine that was busy, or samples that scatter, make it "cannot tell". Pure.

Noise only ever makes a run slower, so that a time below its limit is below it whatever else the machine did; one above
is over the limit only if noise does not explain it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from convcost.analysis import Json
from convcost.budgets.budget import LatencyBudget, LatencyIncrease, LatencyRule
from convcost.budgets.codes import LATENCY_OVER, NO_BASELINE, NOT_MEASURED, SLOWER, TOO_NOISY, Code
from convcost.budgets.verdict import Status, Verdict
from convcost.dataclasses import dataclass

if TYPE_CHECKING:
    from convcost.latency import Measurement
    from convcost.latency.statistics import Comparison

_NOISE = 2
"""How many times slower a busy machine may make a run without anybody being able to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedReference:
    """What a model took before, in seconds a run, and where that is from.

    `in_turn`: measured in turn with the model as it is now, so that noise happened to both.
    """

    times: tuple[float, ...]
    origin: str
    in_turn: bool

    @property
    def p10(self) -> float:
        from convcost.latency.statistics import quantile

        return quantile(self.times, 0.1)

    def to_json(self) -> dict[str, Json]:
        samples = len(self.times)
        return {"origin": self.origin, "in_turn": self.in_turn, "p10_ms": self.p10 * 1000, "samples": samples}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """A model's measurement, or why there is none; and what it is set beside, or why there is nothing.

    `earlier` are measurements of the same that this one was to confirm.
    """

    measured: Measurement | None = None
    unmeasured: str = "it was not measured"
    reference: TimedReference | None = None
    missing: str = "no baseline is named"
    missing_code: Code = NO_BASELINE
    earlier: tuple[Timing, ...] = ()


def hold_latency(rule: LatencyRule, timing: Timing) -> Verdict:
    """One latency budget against one model; slower is only what every measurement found slower."""
    verdicts = [_held(rule, each) for each in (*timing.earlier, timing)]
    verdict, times = verdicts[-1], len(verdicts)
    slower = sum(each.code is SLOWER for each in verdicts)
    if slower in (0, times):
        return replace(verdict, reason=f"{verdict.reason}, {times} times") if slower > 1 else verdict
    reason = f"slower in {slower} of {times} measurements"
    return replace(verdict, status=_unclear(rule), code=TOO_NOISY, reason=reason)


def _unclear(rule: LatencyRule) -> Status:
    return Status.WARN if rule.limit is None else Status.CANNOT_TELL


def _held(rule: LatencyRule, timing: Timing) -> Verdict:
    open_verdict = Verdict(budget=rule, status=Status.CANNOT_TELL, value=None, limit=None)
    measured = timing.measured
    if measured is None:
        limit = rule.limit if isinstance(rule, LatencyBudget) else None
        return replace(open_verdict, limit=limit, code=NOT_MEASURED, reason=timing.unmeasured)
    verdict = replace(open_verdict, value=nanoseconds(measured.p10), approximate=measured.is_noisy)
    match rule:
        case LatencyBudget():
            return _total(rule, verdict, measured)
        case LatencyIncrease() if timing.reference is None:
            return replace(verdict, code=timing.missing_code, reason=timing.missing)
        case LatencyIncrease():
            return _increase(rule, verdict, measured, timing.reference)
        case _:
            assert_never(rule)


def nanoseconds(seconds: float) -> int:
    """The whole number that budgets hold times in."""
    return round(seconds * 1e9)


def _total(rule: LatencyBudget, verdict: Verdict, measured: Measurement) -> Verdict:
    doubts = "; ".join(measured.complaints)
    for limit, status in ((rule.limit, Status.FAIL), (rule.warn, Status.WARN)):
        if limit is None or measured.p10 * 1e9 <= limit:
            continue
        if _is_clearly_over(measured, limit / 1e9):
            return replace(verdict, status=status, limit=limit, code=LATENCY_OVER, reason=doubts)
        unclear = Status.CANNOT_TELL if status is Status.FAIL else Status.WARN
        return replace(verdict, status=unclear, limit=limit, code=TOO_NOISY, reason=doubts)
    return replace(verdict, status=Status.PASS, limit=rule.limit if rule.limit is not None else rule.warn)


def _is_clearly_over(measured: Measurement, limit: float) -> bool:
    """A converged p10 is; without one, every single sample has to be, by as much as a busy machine could add."""
    if measured.samples.converged:
        return True
    return min(measured.samples.times) > limit * (1 if _is_trusted(measured) else _NOISE)


def _is_trusted(measured: Measurement) -> bool:
    return measured.samples.converged or not (measured.is_noisy or measured.health.complaints)


def _increase(rule: LatencyIncrease, verdict: Verdict, measured: Measurement, reference: TimedReference) -> Verdict:
    before = nanoseconds(reference.p10)
    found: list[Comparison] = []
    verdict = replace(verdict, baseline=before, revision=reference.origin if reference.in_turn else "")
    for growth, status in ((rule.limit, Status.FAIL), (rule.warn, Status.WARN)):
        if growth is None:
            continue
        ceiling = growth.allowed(before, rule.ignore_below)
        found.append(_beside(measured, reference, ceiling / before if before else 1.0))
        verdict = verdict if verdict.limit is not None else replace(verdict, limit=ceiling)
        if found[-1] == "slower":
            reason = _reason("slower", measured, reference)
            return replace(verdict, status=status, limit=ceiling, code=SLOWER, reason=reason)
    reason = _reason(found[0], measured, reference)
    if found[0] == "cannot tell":
        return replace(verdict, status=_unclear(rule), code=TOO_NOISY, reason=reason)
    return replace(verdict, status=Status.PASS, reason=reason)


def _beside(measured: Measurement, reference: TimedReference, threshold: float) -> Comparison:
    """Measured in turn, noise happened to both; beside a stored time, a busy machine is no reason to say slower."""
    from convcost.latency import compare_samples

    times = measured.samples.times
    if reference.times == times:
        return "same"  # it is being accepted now
    found = compare_samples(reference.times, times, threshold=threshold, statistic="p10")
    credible = reference.in_turn or _is_trusted(measured) or found != "slower"
    return found if credible else "cannot tell"


def _reason(found: Comparison, measured: Measurement, reference: TimedReference) -> str:
    how = f"measured in turn with {reference.origin}" if reference.in_turn else f"beside {reference.origin}"
    if found != "cannot tell":
        return f"{found}, {how}"
    doubts = "; ".join(measured.complaints) or "the two scatter more widely than the limit"
    return f"{how}: {doubts}"
