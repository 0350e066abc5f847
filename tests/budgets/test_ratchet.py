"""Limits lowered in the config's own text."""

from __future__ import annotations

from fractions import Fraction

import pytest

from convcost.analysis import Analysis, analyze_graph
from convcost.budgets import Verdict, check_analysis
from convcost.budgets.config import read_config
from convcost.budgets.ratchet import rewritten, tightenings
from convcost.errors import SourceError
from convcost.located import parse_yaml
from convcost.located.toml import parse_toml
from tests.networks import small_network

# The network costs 27,648 macs (216 params in the convolution, 50 in a layer nothing calls).
YAML = """\
budgets:  # generous
  - {macs: 1M, params: {max: "1k", warn: 900}}  # 1M of what?
  - {macs: 20k, model: other}
layer_budgets:
  - match: stem.*
    macs: 1_000_000
"""


def verdicts(text: str, *analyses: Analysis, toml: bool = False) -> list[Verdict]:
    file = "c.toml" if toml else "c.yaml"
    root = parse_toml(text, file=file, table=()) if toml else parse_yaml(text, file=file)
    assert root is not None
    rules = read_config(root, file=file).rules
    return [verdict for each in analyses for verdict in check_analysis(each, rules, name="net")]


def test_each_limit_goes_to_what_was_measured_plus_headroom_and_all_else_stays() -> None:
    changes = tightenings(verdicts(YAML, analyze_graph(small_network())), Fraction(1, 10))
    assert rewritten(YAML, changes) == YAML.replace("{macs: 1M,", "{macs: 30.5k,").replace('"1k"', '"900"').replace(
        "1_000_000", "30.5k"
    )


def test_in_toml_a_plain_number_stays_one_and_text_stays_text() -> None:
    text = "budgets = [{macs = 1000000, params = '1k'}]\n"
    changes = tightenings(verdicts(text, analyze_graph(small_network()), toml=True), Fraction(0))
    assert rewritten(text, changes) == "budgets = [{macs = 27700, params = '266'}]\n"


def test_in_toml_a_number_with_underscores_stays_a_number() -> None:
    text = "budgets = [{macs = 1_000_000}]\n"
    changes = tightenings(verdicts(text, analyze_graph(small_network()), toml=True), Fraction(0))
    assert rewritten(text, changes) == "budgets = [{macs = 27700}]\n"


def test_a_number_of_another_form_is_left_to_the_reader() -> None:
    text = "budgets = [{macs = 0xF4240}]\n"
    changes = tightenings(verdicts(text, analyze_graph(small_network()), toml=True), Fraction(0))
    with pytest.raises(SourceError, match="cannot be rewritten"):
        rewritten(text, changes)


def test_a_limit_stays_at_its_warning_threshold_at_least() -> None:
    text = "budgets: [{macs: {max: 1M, warn: 900k}}]\n"
    again = rewritten(text, tightenings(verdicts(text, analyze_graph(small_network())), Fraction(0)))
    assert again == "budgets: [{macs: {max: 900k, warn: 900k}}]\n"
    assert verdicts(again, analyze_graph(small_network()))


def test_a_limit_is_never_raised() -> None:
    text = "budgets: [{macs: 28k}]\n"
    assert tightenings(verdicts(text, analyze_graph(small_network())), Fraction(1, 10)) == ()


@pytest.mark.parametrize(("limit", "unknown"), [("20k", False), ("1M", True)])
def test_a_limit_that_is_broken_or_cannot_be_told_stays(limit: str, unknown: bool) -> None:
    text = f"budgets: [{{macs: {limit}}}]\n"
    assert tightenings(verdicts(text, analyze_graph(small_network(unknown=unknown))), Fraction(0)) == ()


def test_a_limit_of_several_models_leaves_room_for_the_costliest(mobilenet: Analysis) -> None:
    text = "budgets: [{macs: 600M}]\n"
    changes = tightenings(verdicts(text, analyze_graph(small_network()), mobilenet), Fraction(1, 10))
    assert rewritten(text, changes) == "budgets: [{macs: 331M}]\n"


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\x85", "\u2028", "\u2029"])
def test_every_line_end_of_yaml_stays_and_counts_as_one(line_end: str) -> None:
    text = YAML.replace("\n", line_end) + f"models: []{line_end}"
    again = rewritten(text, tightenings(verdicts(text, analyze_graph(small_network())), Fraction(1, 10)))
    assert again == text.replace("{macs: 1M,", "{macs: 30.5k,").replace('"1k"', '"900"').replace("1_000_000", "30.5k")


@pytest.mark.parametrize("separator", ["\x85", "\u2028", "\u2029"])
def test_in_toml_a_line_ends_at_a_line_feed_only(separator: str) -> None:
    text = f"# one{separator}line\r\nbudgets = [{{message = '{separator}', macs = 1000000}}]\r\n"
    changes = tightenings(verdicts(text, analyze_graph(small_network()), toml=True), Fraction(0))
    assert rewritten(text, changes) == text.replace("1000000", "27700")


def test_a_byte_order_mark_stays_and_is_in_no_column() -> None:
    text = "{budgets: [{macs: 1M}]}\r\n"
    changes = tightenings(verdicts(text, analyze_graph(small_network())), Fraction(0))
    assert rewritten(f"\ufeff{text}", changes) == "\ufeff{budgets: [{macs: 27.7k}]}\r\n"
