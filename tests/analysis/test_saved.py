"""A saved report is the analysis it was written from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import convcost
from convcost.analysis import Json, analyze_graph
from convcost.analysis.saved import read_analysis
from convcost.errors import SourceError
from tests.networks import small_network

SAMPLES = Path(__file__).parents[2] / "sample_configs"


@pytest.mark.parametrize("sample", ["layers.yaml", "mobilenet_v1.yaml", "layer.yaml"])
def test_reading_a_report_back_gives_the_same_report(sample: str) -> None:
    analysis = convcost.analyze(SAMPLES / sample)
    document: Json = json.loads(json.dumps(analysis.to_json()))
    again = read_analysis(document, named="old.json")
    assert again.to_json() == analysis.to_json()
    assert (again.totals.storage, again.unused) == (analysis.totals.storage, analysis.unused)


def test_a_lower_bound_and_its_gradients_are_read_back() -> None:
    analysis = analyze_graph(small_network(unknown=True), backward=True)
    again = read_analysis(analysis.to_json(), named="old.json")
    assert again.is_lower_bound
    assert again.to_json() == analysis.to_json()


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"schema": "convcost/comparison/1"}, "is not a report of 'convcost analyze'"),
        ({"totals": 3}, "has 'totals' that is not an object"),
        ({"layers": [{"name": 3}]}, "has a 'name' that is not text"),
        ({"layers": "many"}, "has 'layers' that is not a list"),
    ],
)
def test_anything_else_is_refused_with_its_place(broken: dict[str, Json], message: str) -> None:
    document = {**analyze_graph(small_network()).to_json(), **broken}
    with pytest.raises(SourceError, match=message) as caught:
        read_analysis(document, named="old.json")
    assert caught.value.message.startswith("old.json")


@pytest.mark.parametrize("document", [None, [], 3, {}, {"analyses": []}])
def test_what_is_no_report_at_all_is_refused(document: Json) -> None:
    with pytest.raises(SourceError):
        read_analysis(document, named="old.json")


@pytest.mark.parametrize("value", [-1, True, 1.5, "12"])
def test_a_count_is_a_whole_number_from_zero_on(value: Json) -> None:
    document = analyze_graph(small_network()).to_json()
    totals = document["totals"]
    assert isinstance(totals, dict)
    totals["macs"] = value
    with pytest.raises(SourceError, match="is not a count"):
        read_analysis(document, named="old.json")


@pytest.mark.parametrize("key", ["macs", "other_ops", "flops", "bytes_moved", "activation_bytes"])
@pytest.mark.parametrize("off_by", [-1, 1])
def test_totals_that_are_not_the_sum_of_the_layers_are_refused(key: str, off_by: int) -> None:
    document = analyze_graph(small_network()).to_json()
    totals = document["totals"]
    assert isinstance(totals, dict)
    said = totals[key]
    assert isinstance(said, int)
    totals[key] = said + off_by
    with pytest.raises(SourceError) as caught:
        read_analysis(document, named="old.json")
    assert caught.value.message == f"old.json: totals has {said + off_by} {key}, but its layers add up to {said}"
    assert caught.value.hint == "write it again: convcost analyze TARGET --export json=FILE"


@pytest.mark.parametrize("key", ["params", "buffers", "weight_bytes"])
def test_a_model_holds_what_its_layers_hold(key: str) -> None:
    document = analyze_graph(small_network()).to_json()
    totals, layers = document["totals"], document["layers"]
    assert isinstance(totals, dict)
    assert isinstance(layers, list)
    first = layers[0]
    assert isinstance(first, dict)
    first[key] = 10**9
    with pytest.raises(SourceError, match=f"{key}, but its layers alone hold 1000"):
        read_analysis(document, named="old.json")
