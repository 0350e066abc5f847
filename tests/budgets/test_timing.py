"""Measured time held to budgets: what noise could explain is never called slow, and never passed either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from convcost.analysis import analyze_graph
from convcost.budgets import (
    LatencyBudget,
    LatencyIncrease,
    Level,
    Status,
    TimedReference,
    Timing,
    Verdict,
    check_analysis,
    exit_code,
)
from convcost.budgets.budget import LatencyRule, Terms, growth_of
from convcost.budgets.option_text import parse_budget, parse_increase
from convcost.budgets.timing import hold_latency
from convcost.latency import Measurement
from convcost.latency.health import Health
from tests.latency.measurements import around, measurement
from tests.networks import small_network

BUSY = Health(threads=1, processors=2, others=1.9)
FIVE_PERCENT = parse_increase("latency=5%")
MS = 1_000_000


def held(rule: LatencyRule, measured: Measurement, before: Sequence[float] = (), *, in_turn: bool = True) -> Verdict:
    reference = TimedReference(times=tuple(before), origin="main", in_turn=in_turn) if before else None
    return hold_latency(rule, Timing(measured=measured, reference=reference))


def found(verdict: Verdict) -> tuple[str, str | None]:
    return verdict.status.value, verdict.code.name if verdict.code else None


def test_slower_is_what_every_measurement_found_slower() -> None:
    reference = TimedReference(times=tuple(around(0.010)), origin="main", in_turn=True)
    first, second = (Timing(measured=measurement(around(at)), reference=reference) for at in (0.012, 0.010))
    again = hold_latency(FIVE_PERCENT, replace(first, earlier=(first,)))
    assert (found(again), again.reason) == (("fail", "CC106"), "slower, measured in turn with main, 2 times")
    for timing in (replace(second, earlier=(first,)), replace(first, earlier=(second,))):
        mixed = hold_latency(FIVE_PERCENT, timing)
        assert (found(mixed), mixed.reason) == (("cannot_tell", "CC206"), "slower in 1 of 2 measurements")
        alone = hold_latency(replace(FIVE_PERCENT, limit=None, warn=FIVE_PERCENT.limit), timing)
        assert alone.status is Status.WARN


def test_the_tenth_percentile_is_held_to_the_limit_in_nanoseconds() -> None:
    times = [0.010 + 0.001 * step for step in range(11)]
    verdict = held(LatencyBudget(limit=11 * MS), measurement(times))
    assert (verdict.value, verdict.status) == (11 * MS, Status.PASS)
    assert found(held(LatencyBudget(limit=11 * MS - 1), measurement(times))) == ("fail", "CC105")


def test_between_the_warning_and_the_limit_there_is_a_warning() -> None:
    rule = LatencyBudget(limit=20 * MS, warn=9 * MS)
    verdict = held(rule, measurement(around(0.010)))
    assert (found(verdict), verdict.limit) == (("warn", "CC105"), 9 * MS)


@pytest.mark.parametrize(
    ("limit", "status"),
    [
        (30 * MS, "pass"),  # noise only ever makes it slower
        (11 * MS, "cannot_tell"),  # one sample was below
        (7 * MS, "cannot_tell"),  # a busy machine could add as much
        (4 * MS, "fail"),  # not twice as much
    ],
)
def test_a_busy_machine_is_believed_only_where_it_could_not_have_added_that_much(limit: int, status: str) -> None:
    times = [0.010, 0.030, 0.016, 0.022, 0.019, 0.025, 0.021, 0.024]
    verdict = held(LatencyBudget(limit=limit), measurement(times, health=BUSY, converged=False))
    assert verdict.status.value == status
    assert verdict.approximate


def test_without_convergence_but_on_a_quiet_machine_every_sample_has_to_be_over() -> None:
    times = [0.010, 0.0101, 0.0102, 0.0103, 0.0104, 0.0105, 0.0106, 0.0107]
    assert found(held(LatencyBudget(limit=9 * MS), measurement(times, converged=False))) == ("fail", "CC105")
    verdict = held(LatencyBudget(limit=10 * MS + 10_000), measurement(times, converged=False))
    assert found(verdict) == ("cannot_tell", "CC206")


def test_a_model_that_was_not_measured_says_why() -> None:
    verdict = hold_latency(LatencyBudget(limit=MS), Timing(unmeasured="torch is not installed"))
    assert found(verdict) == ("cannot_tell", "CC205")
    assert verdict.reason == "torch is not installed"
    assert verdict.value is None


@pytest.mark.parametrize(
    ("now", "status"),
    [(0.0100, ("pass", None)), (0.0104, ("pass", None)), (0.0120, ("fail", "CC106")), (0.0080, ("pass", None))],
)
def test_slower_is_what_passes_the_threshold_and_the_rank_test(now: float, status: tuple[str, str | None]) -> None:
    verdict = held(FIVE_PERCENT, measurement(around(now)), around(0.010))
    assert found(verdict) == status
    assert verdict.baseline == pytest.approx(10 * MS, rel=0.01)
    assert "measured in turn with main" in verdict.reason


def test_a_ratio_over_the_threshold_that_ranks_do_not_confirm_cannot_be_told() -> None:
    before = [0.010, 0.0101, 0.020, 0.021, 0.022, 0.023, 0.024, 0.025]
    now = [0.0115, 0.0116, 0.0117, 0.0118, 0.020, 0.021, 0.022, 0.023]
    verdict = held(FIVE_PERCENT, measurement(now, converged=False), before)
    assert found(verdict) == ("cannot_tell", "CC206")
    assert verdict.value is not None
    assert verdict.limit is not None
    assert verdict.value > verdict.limit


def test_beside_a_stored_time_a_busy_machine_is_no_slower_model() -> None:
    now = measurement(around(0.012), health=BUSY, converged=False)
    assert found(held(FIVE_PERCENT, now, around(0.010), in_turn=False)) == ("cannot_tell", "CC206")
    assert found(held(FIVE_PERCENT, now, around(0.010), in_turn=True)) == ("fail", "CC106")


def test_growth_may_be_an_amount_and_little_growth_is_none() -> None:
    metric = FIVE_PERCENT.metric
    amount = LatencyIncrease(limit=growth_of(metric, "+3ms"))
    assert found(held(amount, measurement(around(0.012)), around(0.010))) == ("pass", None)
    assert found(held(amount, measurement(around(0.014)), around(0.010))) == ("fail", "CC106")
    little = LatencyIncrease(limit=growth_of(metric, "5%"), ignore_below=5 * MS)
    assert found(held(little, measurement(around(0.012)), around(0.010))) == ("pass", None)


def test_growth_between_warning_and_limit_warns() -> None:
    rule = LatencyIncrease(limit=growth_of(FIVE_PERCENT.metric, "50%"), warn=growth_of(FIVE_PERCENT.metric, "5%"))
    assert found(held(rule, measurement(around(0.012)), around(0.010))) == ("warn", "CC106")


def test_what_is_accepted_now_is_the_same_however_much_it_scatters() -> None:
    times = [0.010, 0.030, 0.016, 0.022]
    verdict = held(FIVE_PERCENT, measurement(times, converged=False), times, in_turn=False)
    assert found(verdict) == ("pass", None)


def test_without_anything_to_compare_with_it_cannot_be_told() -> None:
    timing = Timing(measured=measurement(around(0.01)), missing="there is no baseline")
    verdict = hold_latency(FIVE_PERCENT, timing)
    assert (found(verdict), verdict.reason) == (("cannot_tell", "CC203"), "there is no baseline")


@pytest.mark.parametrize(
    ("level", "code", "status"), [(None, 0, Status.WARN), (Level.ERROR, 1, Status.FAIL), (Level.OFF, 0, None)]
)
def test_a_latency_budget_warns_unless_it_is_told_to_fail(
    level: Level | None, code: int, status: Status | None
) -> None:
    rule = parse_budget("latency=1ns")
    assert isinstance(rule, LatencyBudget)
    rule = rule if level is None else replace(rule, terms=Terms(level=level))
    timing = Timing(measured=measurement(around(0.01)))
    verdicts = check_analysis(analyze_graph(small_network()), [rule], timing=timing)
    assert [each.status for each in verdicts] == ([status] if status else [])
    assert exit_code([verdicts]) == code


def test_an_analysis_alone_was_not_measured() -> None:
    rule = replace(parse_budget("latency=1ms"), terms=Terms(level=Level.ERROR))
    verdicts = check_analysis(analyze_graph(small_network()), [rule])
    assert exit_code([verdicts]) == 3


def test_what_counts_is_the_tenth_percentile_and_not_the_median() -> None:
    before = [*around(0.010)[:16], *around(0.0200)[:24]]
    now = [*around(0.012)[:16], *around(0.0201)[:24]]
    verdict = held(FIVE_PERCENT, measurement(now), before)
    assert found(verdict) == ("fail", "CC106")
