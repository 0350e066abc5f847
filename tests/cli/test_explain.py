"""`convcost explain`, as it is typed."""

from __future__ import annotations

import json

import pytest

from convcost.alternatives import ALTERNATIVES
from convcost.analysis.metrics import METRICS
from convcost.cli import main
from convcost.graph.ops import ALL_OPS

Capture = pytest.CaptureFixture[str]


def said(capsys: Capture, *arguments: str) -> str:
    assert main(["explain", *arguments]) == 0
    return capsys.readouterr().out


def test_a_metric_is_defined(capsys: Capture) -> None:
    assert "2 * MACs + other ops" in said(capsys, "flops")


def test_an_op_shows_its_formula_and_source(capsys: Capture) -> None:
    text = said(capsys, "conv")
    assert "Formula: out_positions * N * (M/groups) * prod(kernel)" in text
    assert "Source: " in text


@pytest.mark.parametrize(("word", "family"), [("depthwise", "conv"), ("lstm", "recurrent"), ("Linear", "linear")])
def test_the_words_of_tables_lead_to_their_family(capsys: Capture, word: str, family: str) -> None:
    assert said(capsys, word).startswith(f"{family} (op)")


def test_dashes_are_as_good_as_underscores(capsys: Capture) -> None:
    assert said(capsys, "depthwise-separable") == said(capsys, "depthwise_separable")


def test_all_explains_everything_there_is(capsys: Capture) -> None:
    names = {entry["name"] for entry in json.loads(said(capsys, "all", "-f", "json"))["entries"]}
    assert names >= {metric.name for metric in METRICS} | {op.family for op in ALL_OPS} | set(ALTERNATIVES)


def test_every_kind_of_op_can_be_looked_up(capsys: Capture) -> None:
    for op in ALL_OPS:
        assert said(capsys, op.family)


def test_a_near_name_is_suggested(capsys: Capture) -> None:
    assert main(["explain", "depthwise_seperable"]) == 2
    assert "depthwise_separable" in capsys.readouterr().err
