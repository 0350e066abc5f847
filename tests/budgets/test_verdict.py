"""Passed, failed, or not to be told."""

from __future__ import annotations

import pytest

from convcost.analysis import analyze_graph
from convcost.budgets import Budget, Status, check_analysis, exit_code
from tests.networks import chain_of_linears, small_network

MACS = 27_648


def status(limit: int, *, unknown: bool = False) -> Status:
    analysis = analyze_graph(small_network(unknown=unknown))
    return check_analysis(analysis, [Budget.of("macs", limit)]).status


def test_the_network_costs_what_its_formula_says() -> None:
    assert analyze_graph(small_network()).totals.macs == MACS == 8 * 16 * 8 * 3 * 9


def test_a_model_exactly_at_its_limit_passes() -> None:
    assert status(MACS) is Status.PASS


def test_one_more_fails() -> None:
    assert status(MACS - 1) is Status.FAIL


def test_an_unknown_op_under_the_limit_cannot_be_told() -> None:
    assert status(MACS, unknown=True) is Status.CANNOT_TELL


def test_a_lower_bound_over_the_limit_fails_all_the_same() -> None:
    assert status(MACS - 1, unknown=True) is Status.FAIL


def test_the_margin_is_what_is_left() -> None:
    verdicts = check_analysis(
        analyze_graph(small_network()), [Budget.of("macs", MACS + 7), Budget.of("macs", MACS - 7)]
    )
    assert [verdict.margin for verdict in verdicts] == [7, -7]


def test_a_failure_names_the_costliest_layers_first() -> None:
    verdict, *_ = check_analysis(analyze_graph(small_network()), [Budget.of("other_ops", 0)])
    assert [layer.name for layer in verdict.costliest] == ["stem.relu"]


def test_no_more_layers_are_named_than_asked_for() -> None:
    analysis = analyze_graph(chain_of_linears(["a", "b", "c"]))
    verdict, *_ = check_analysis(analysis, [Budget.of("macs", 1)], costliest=2)
    assert len(verdict.costliest) == 2


def test_a_peak_has_no_costliest_layer() -> None:
    verdict, *_ = check_analysis(analyze_graph(small_network()), [Budget.of("peak_activation_bytes", 0)])
    assert (verdict.status, verdict.costliest) == (Status.FAIL, ())


@pytest.mark.parametrize(
    ("limits", "unknown", "code"),
    [([MACS], False, 0), ([MACS, MACS - 1], False, 1), ([MACS], True, 3), ([MACS, MACS - 1], True, 1)],
)
def test_exceeded_beats_cannot_tell(limits: list[int], unknown: bool, code: int) -> None:
    analysis = analyze_graph(small_network(unknown=unknown))
    assert exit_code([check_analysis(analysis, [Budget.of("macs", limit) for limit in limits])]) == code


def test_one_bad_model_among_several_decides() -> None:
    good = check_analysis(analyze_graph(small_network()), [Budget.of("macs", MACS)])
    unclear = check_analysis(analyze_graph(small_network(unknown=True)), [Budget.of("macs", MACS)])
    bad = check_analysis(analyze_graph(small_network()), [Budget.of("macs", 0)])
    assert [exit_code(group) for group in ([good, good], [good, unclear], [good, unclear, bad])] == [0, 3, 1]
