"""Layer budgets, growth and levels: what a total alone does not see."""

from __future__ import annotations

from dataclasses import replace

import pytest

from convcost.analysis import Analysis, analyze_graph
from convcost.analysis.metrics import metric_named
from convcost.budgets import (
    Budget,
    Increase,
    LayerBudget,
    Level,
    Reference,
    Rule,
    Status,
    Verdict,
    check_analysis,
    exit_code,
    parse_budget,
)
from convcost.budgets.budget import Growth, Terms, growth_of
from convcost.budgets.option_text import parse_increase, parse_layer_budget
from convcost.errors import UsageError
from tests.networks import small_network

MACS = metric_named("macs")


def judged(analysis: Analysis, rule: Rule, *, before: Analysis | None = None) -> Verdict:
    (verdict,) = check_analysis(analysis, [rule], name="net", reference=Reference(analysis=before))
    return verdict


def code(verdict: Verdict) -> str | None:
    return verdict.code.name if verdict.code else None


def test_a_total_of_600_m_does_not_see_the_lost_groups(mobilenet_without_groups: Analysis) -> None:
    verdict = judged(mobilenet_without_groups, parse_budget("macs=600M"))
    assert (verdict.status, verdict.value) == (Status.PASS, 558_177_152)


def test_a_limit_on_each_layer_finds_the_lost_groups(mobilenet: Analysis, mobilenet_without_groups: Analysis) -> None:
    rule = parse_layer_budget("features.*:macs=25M")
    assert judged(mobilenet, rule).status is Status.PASS
    verdict = judged(mobilenet_without_groups, rule)
    assert (verdict.status, code(verdict)) == (Status.FAIL, "CC102")
    assert [cause.layer.name for cause in verdict.causes] == ["features.2.conv.1.0"]


def test_a_limit_on_growth_finds_the_lost_groups_and_says_why(
    mobilenet: Analysis, mobilenet_without_groups: Analysis
) -> None:
    verdict = judged(mobilenet_without_groups, parse_increase("macs=5%"), before=mobilenet)
    assert (verdict.status, code(verdict), verdict.baseline) == (Status.FAIL, "CC104", 300_774_272)
    (cause,) = verdict.causes
    assert cause.reason == "groups 96 → 1: depthwise became dense, 96x"
    assert cause.baseline is not None
    assert cause.value == 96 * cause.baseline


def test_a_missed_total_blames_what_grew_since_the_baseline(
    mobilenet: Analysis, mobilenet_without_groups: Analysis
) -> None:
    verdict = judged(mobilenet_without_groups, parse_budget("macs=320M"), before=mobilenet)
    assert [cause.layer.name for cause in verdict.causes] == ["features.2.conv.1.0"]


def test_layers_of_a_kind_may_be_held_to_their_sum(mobilenet: Analysis) -> None:
    layers = [layer for layer in mobilenet.layers if layer.node.op.kind == "depthwise"]
    total = sum(layer.cost.macs for layer in layers)
    rule = LayerBudget(metric=MACS, limit=total, kind="depthwise", per="sum")
    assert judged(mobilenet, rule).status is Status.PASS
    assert code(judged(mobilenet, replace(rule, limit=total - 1))) == "CC103"


@pytest.mark.parametrize("rule", [LayerBudget(metric=MACS, limit=1, match="nope.*"), parse_layer_budget("stem:macs=1")])
def test_a_pattern_that_fits_no_layer_cannot_be_told(rule: Rule) -> None:
    verdict = judged(analyze_graph(small_network()), rule)
    assert (verdict.status, code(verdict), verdict.value) == (Status.CANNOT_TELL, "CC202", None)


def test_growth_without_a_baseline_cannot_be_told() -> None:
    verdict = judged(analyze_graph(small_network()), parse_increase("macs=5%"))
    assert (verdict.status, code(verdict)) == (Status.CANNOT_TELL, "CC203")
    assert exit_code([verdict]) == 3


def test_growth_over_a_lower_bound_cannot_be_told() -> None:
    before, now = analyze_graph(small_network(unknown=True)), analyze_graph(small_network())
    assert code(judged(now, parse_increase("macs=5%"), before=before)) == "CC201"


@pytest.mark.parametrize(
    ("growth", "before", "ceiling"),
    [("+5%", 1000, 1050), ("5%", 19, 19), ("+0.1%", 999, 999), ("+2k", 1000, 3000), ("0%", 7, 7)],
)
def test_growth_is_counted_in_whole_numbers(growth: str, before: int, ceiling: int) -> None:
    assert growth_of(MACS, growth).ceiling(before) == ceiling


@pytest.mark.parametrize("ignored", [27_648, 27_647])
def test_growth_of_less_than_what_is_ignored_is_none(ignored: int) -> None:
    small, large = analyze_graph(small_network()), analyze_graph(small_network())
    grown = replace(large, totals=replace(large.totals, cost=large.totals.cost * 2))
    rule = Increase(metric=MACS, limit=Growth(amount=0), ignore_below=ignored)
    # It grew by 27,648: no less than that, and so not ignored; one more and it is.
    assert judged(grown, rule, before=small).status is Status.FAIL
    assert judged(grown, replace(rule, ignore_below=27_649), before=small).status is Status.PASS


def test_between_warn_and_max_there_is_a_warning() -> None:
    analysis = analyze_graph(small_network())
    verdict = judged(analysis, Budget(metric=MACS, limit=30_000, warn=20_000))
    assert (verdict.status, verdict.limit, exit_code([verdict])) == (Status.WARN, 20_000, 0)


def test_a_warning_threshold_does_not_vouch_for_what_is_not_counted() -> None:
    analysis = analyze_graph(small_network(unknown=True))
    assert judged(analysis, Budget(metric=MACS, limit=30_000, warn=20_000)).status is Status.CANNOT_TELL


@pytest.mark.parametrize("name", ["params", "buffers", "weight_bytes"])
def test_what_is_stored_can_be_told_though_an_op_is_unknown(name: str) -> None:
    before, now = analyze_graph(small_network()), analyze_graph(small_network(unknown=True))
    metric = metric_named(name)
    every_layer = LayerBudget(metric=metric, match="*", per="sum", limit=10**6)
    for rule in (Budget(metric=metric, limit=10**6), every_layer):
        verdict = judged(now, rule)
        assert (verdict.status, verdict.lower_bound) == (Status.PASS, False)
    for old, new in ((before, now), (now, before)):
        assert judged(new, parse_increase(f"{name}=5%"), before=old).status is Status.PASS


@pytest.mark.parametrize(
    ("level", "found"), [(Level.WARN, [Status.WARN]), (Level.OFF, []), (Level.ERROR, [Status.FAIL])]
)
def test_the_level_says_what_a_missed_budget_means(level: Level, found: list[Status]) -> None:
    rule = Budget(metric=MACS, limit=1, terms=Terms(level=level))
    verdicts = check_analysis(analyze_graph(small_network()), [rule])
    assert [verdict.status for verdict in verdicts] == found


def test_a_budget_holds_for_the_models_its_pattern_fits() -> None:
    rule = Budget(metric=MACS, limit=1, terms=Terms(model="edge-*"))
    analysis = analyze_graph(small_network())
    assert [len(check_analysis(analysis, [rule], name=name).verdicts) for name in ("edge-a", "cloud")] == [1, 0]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("macs=25M", "write 'features.*:macs=25M'"),
        ("features.*:25M", "write --layer-max features.*:macs=25M"),
        ("*:peak_activation_bytes=1MB", "write --max peak_activation_bytes=20MB"),
    ],
)
def test_a_layer_limit_says_what_it_lacks(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_layer_budget(text)
    assert caught.value.hint == hint


@pytest.mark.parametrize("text", ["macs=5", "5%", "macs=-5%", "macs=soon"])
def test_growth_says_by_what(text: str) -> None:
    with pytest.raises(UsageError):
        parse_increase(text)
