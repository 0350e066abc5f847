"""The baseline file: a pure function of what models cost."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from convcost.analysis import Analysis, Json, analyze_graph
from convcost.budgets import difference
from convcost.budgets.baseline import Baseline, changes_in
from convcost.errors import SourceError
from tests.networks import chain_of_linears, small_network

EMPTY = Baseline(file="b.json", models={})


def read(text: str) -> Baseline:
    document: Json = json.loads(text)
    return Baseline.read(document, file="b.json")


def test_what_is_read_back_does_not_differ(mobilenet: Analysis) -> None:
    again = read(EMPTY.merged({"net": mobilenet}).text()).analysis("net")
    assert again is not None
    assert again.totals.to_json() == mobilenet.totals.to_json()
    assert not difference(again, mobilenet)


def test_the_same_metrics_give_the_same_bytes_whoever_measured_them() -> None:
    analysis = analyze_graph(small_network())
    elsewhere = replace(analysis, target="/home/me/small.onnx", source="onnx", notes=("something",))
    one, other = (EMPTY.merged({"b": each, "a": each}).text() for each in (analysis, elsewhere))
    assert one == other
    assert one == read(one).text()


def test_models_and_keys_are_sorted_and_there_is_nothing_of_when_and_where() -> None:
    analysis = analyze_graph(small_network())
    text = EMPTY.merged({"b": analysis, "a": analysis}).text()
    document = json.loads(text)
    assert list(document["models"]) == ["a", "b"]
    layer = document["models"]["a"]["layers"][0]
    assert list(layer) == sorted(layer)
    assert not re.search(r'"convcost"|version|time|host|sha[0-9]|aten', text)


def test_merging_touches_the_analyzed_models_alone() -> None:
    before = EMPTY.merged({"a": analyze_graph(small_network()), "b": analyze_graph(small_network())})
    after = before.merged({"b": analyze_graph(chain_of_linears(["x"]))})
    assert after.models["a"] == before.models["a"]
    assert after.models["b"] != before.models["b"]


def test_a_model_that_is_not_in_the_file_has_no_baseline() -> None:
    assert EMPTY.analysis("net") is None


def test_unknown_ops_stay_unknown() -> None:
    again = EMPTY.merged({"net": analyze_graph(small_network(unknown=True))}).analysis("net")
    assert again is not None
    assert again.is_lower_bound


@pytest.mark.parametrize("document", [None, [], {}, {"schema": "convcost/analysis/1", "models": {}}])
def test_another_file_is_refused(document: Json) -> None:
    with pytest.raises(SourceError, match="not a baseline"):
        Baseline.read(document, file="b.json")


def test_what_rose_and_what_fell_is_said() -> None:
    small, large = analyze_graph(chain_of_linears(["a"])), analyze_graph(chain_of_linears(["a", "b"]))
    assert "net: macs rose, 16 → 32 (+100 %)" in changes_in(small, large, name="net")
    assert "net: macs fell, 32 → 16 (-50 %)" in changes_in(large, small, name="net")
    assert changes_in(small, small, name="net") == ()
    assert changes_in(None, small, name="net") == ("net: new in the baseline, 16 macs",)
