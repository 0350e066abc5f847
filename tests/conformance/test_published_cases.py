"""Small cases on which other counters differ, each exact by its formula."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from convcost.analysis import analyze_graph
from convcost.sources.torch import graph_of
from tests.conformance.published_cases import CASES

_TABLE = Path(__file__).parents[1] / "data" / "conformance_cases.csv"
_ROWS = list(csv.DictReader(_TABLE.open(encoding="utf-8")))


def test_every_case_is_built():
    assert {row["case"] for row in _ROWS} == set(CASES)


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row["case"])
def test_macs_and_params_are_exact(row):
    build, inputs = CASES[row["case"]]
    analysis = analyze_graph(graph_of(build(), inputs))
    assert (analysis.totals.macs, analysis.totals.params) == (int(row["macs"]), int(row["params"]))
    assert not analysis.unknown


def test_a_branch_on_values_is_run_on_values_and_says_so():
    build, inputs = CASES["dynamic_branch"]
    (note,) = graph_of(build(), inputs).notes
    assert "real tensors" in note
    assert "published_cases.py" in note


def test_causal_attention_reports_the_masked_count_beside_the_dense_one():
    build, inputs = CASES["sdpa_causal"]
    (note,) = analyze_graph(graph_of(build(), inputs)).notes
    assert "50,176" in note
    assert "26,880" in note
