"""Verdicts in words."""

from __future__ import annotations

from fractions import Fraction

import pytest

from convcost.budgets import LatencyBudget, LatencyIncrease, TimedReference, Timing
from convcost.budgets.budget import Growth, LatencyRule
from convcost.budgets.timing import hold_latency
from convcost.reports.verdict_text import figures, growth_text, how_to_accept, margin_text
from tests.latency.measurements import around, measurement

SCATTERED = [0.010, 0.030, 0.016, 0.022, 0.019, 0.025, 0.021, 0.024]
GROWN = LatencyIncrease(limit=Growth(share=Fraction(1, 20)))


@pytest.mark.parametrize(
    ("rule", "times", "shown", "margin"),
    [
        (LatencyBudget(limit=10**9), around(0.01), ("9.99 ms", "1.00 s"), "990.0 ms under (99.0 %)"),
        (LatencyBudget(limit=14 * 10**6), SCATTERED, ("about 14.2 ms", "14.00 ms"), "about 200 µs over"),
        (LatencyBudget(limit=10**6), SCATTERED, ("about 10 ms", "1.00 ms"), "about 10 ms over"),
        (GROWN, around(0.012), ("11.99 ms", "10.49 ms"), "+20 %, slower"),
        (GROWN, around(0.010), ("9.99 ms", "10.49 ms"), "+0 %, no slower"),
    ],
)
def test_a_time_has_no_more_digits_than_are_known(
    rule: LatencyRule, times: list[float], shown: tuple[str, str], margin: str
) -> None:
    reference = TimedReference(times=tuple(around(0.010)), origin="main", in_turn=True)
    measured = measurement(times, converged=times != SCATTERED)
    verdict = hold_latency(rule, Timing(measured=measured, reference=reference))
    assert (figures(verdict), margin_text(verdict)) == (shown, margin)


def test_growth_that_is_known_badly_shows_no_figures() -> None:
    reference = TimedReference(times=tuple(around(0.010)), origin="main", in_turn=True)
    verdict = hold_latency(GROWN, Timing(measured=measurement(SCATTERED, converged=False), reference=reference))
    assert growth_text(verdict) == ""


def test_a_limit_is_proposed_with_some_to_spare_and_only_where_one_was_broken() -> None:
    over = hold_latency(LatencyBudget(limit=1), Timing(measured=measurement(around(0.010))))
    assert how_to_accept(over) == "To accept the new latency, with 10 % to spare: --max latency=11ms"
    unmeasured = hold_latency(LatencyBudget(limit=1), Timing())
    assert how_to_accept(unmeasured) == ""
