"""A measured comparison as text, JSON and rows; the times are made up."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from convcost import api
from convcost.latency import CandidateLatencies, Measurement, NotMeasurable
from convcost.reports import Style, render
from convcost.reports.comparison import ComparisonReport
from convcost.reports.measured_comparison import MeasuredComparisonReport
from tests.latency.measurements import around, measurement
from tests.reports.test_json import closed, schema_named

SAMPLES = Path(__file__).parents[2] / "sample_configs"
LAYER, NETWORK = SAMPLES / "layer.yaml", SAMPLES / "mobilenet_v1.yaml"
COMPARISON = api.compare(LAYER, alternatives="depthwise_separable,spatial_separable,winograd[tile=4]")
STANDARD = measurement(around(0.004))
FASTER = measurement(around(0.001))
TOO_LARGE = NotMeasurable(reason="running it needs 103.6 MB", needed_bytes=103_600_000)


def report(*others: Measurement | NotMeasurable) -> MeasuredComparisonReport:
    (layer,) = COMPARISON.layers
    latencies = CandidateLatencies(layer=layer, standard=STANDARD, candidates=(STANDARD, *others))
    return MeasuredComparisonReport(costs=ComparisonReport(comparison=COMPARISON), latencies=(latencies,))


def rows(shown: MeasuredComparisonReport) -> dict[str, str]:
    lines = render("table", shown).partition("\nMeasured")[2].splitlines()
    return {line.split()[1]: line for line in lines if line.startswith("  conv1")}


def test_every_alternative_has_its_time_and_its_verdict():
    found = rows(report(FASTER, TOO_LARGE, STANDARD))
    assert "4.00×  8.4x fewer MACs, 4.0x faster" in found["depthwise-separable"]
    assert "4.00 ms ±" in found["standard"]
    assert found["standard"].endswith("1.00×"), "the layer as it is has no verdict on itself"


def test_a_refused_alternative_says_the_bytes():
    shown = report(FASTER, TOO_LARGE, STANDARD)
    line = rows(shown)["spatial-separable"]
    assert "not measured" in line
    assert line.endswith("–  33 % fewer MACs")
    assert "\n  spatial-separable: not measured: running it needs 103.6 MB\n" in render("table", shown)


def test_a_long_reason_for_one_takes_no_verdict_from_the_others():
    untold = NotMeasurable(reason="the time was over before its first sample: give it more with --max-time")
    text = render("table", report(FASTER, untold, STANDARD), Style(width=100))
    assert "4.00×  8.4x fewer MACs, 4.0x faster" in text


def test_noise_leaves_no_figure_of_speed():
    noisy = measurement(around(0.001, spread=0.9))
    assert "–" in rows(report(noisy, TOO_LARGE, STANDARD))["depthwise-separable"]


def test_the_setting_and_the_machine_are_printed():
    text = render("table", report(FASTER, TOO_LARGE, STANDARD))
    assert "torch on a processor, 1 thread" in text
    assert "machine: load 0.50" in text


def test_json_holds_latency_in_its_place():
    document = json.loads(render("json", report(FASTER, TOO_LARGE, STANDARD)))
    jsonschema.validate(document, closed(schema_named("comparison-1")))
    standard, separable, spatial, _ = document["layers"][0]["alternatives"]
    assert separable["latency"]["median_ms"] == pytest.approx(1.0)
    assert (standard["verdict"], spatial["latency"]) == (None, None)
    assert spatial["not_measured"]["needed_bytes"] == 103_600_000
    assert document["partial"] is False


def test_rows_for_spreadsheets_keep_costs_and_times_together():
    header, _, separable, spatial, _ = render("csv", report(FASTER, TOO_LARGE, STANDARD)).splitlines()
    assert header.endswith("median_ms,p10_ms,p90_ms,converged,verdict")
    assert separable.startswith(f"{LAYER},conv1,depthwise_separable")
    assert separable.endswith('yes,"8.4x fewer MACs, 4.0x faster"')
    assert ",,,,,33 % fewer MACs" in spatial.replace('"', "")


def test_an_interrupted_comparison_says_so():
    broken_off = measurement(around(0.001), partial=True, converged=False)
    partial = report(broken_off, TOO_LARGE, STANDARD)
    assert partial.partial
    assert "Measured: partial, interrupted" in render("table", partial)
    assert not report(FASTER, TOO_LARGE, STANDARD).partial


def summed(*others: CandidateLatencies) -> MeasuredComparisonReport:
    return MeasuredComparisonReport(costs=ComparisonReport(comparison=SEVERAL), latencies=others)


SEVERAL = api.compare(NETWORK, alternatives="depthwise_separable", layers=["stem.conv", "block1.depthwise"])


def each_layer(*others: Measurement | NotMeasurable) -> tuple[CandidateLatencies, ...]:
    """Both layers as they are take 4 ms; the second is depthwise already."""
    first, second = SEVERAL.layers
    refused = NotMeasurable(reason=str(second.candidates[1].reason))
    return (
        CandidateLatencies(layer=first, standard=STANDARD, candidates=(STANDARD, *others)),
        CandidateLatencies(layer=second, standard=STANDARD, candidates=(STANDARD, refused)),
    )


def test_layers_add_up_to_a_sum_in_which_one_that_is_not_replaced_counts_as_it_is():
    text = render("table", summed(*each_layer(FASTER)))
    standard, separable = text.partition("the 2 convolutions added up")[2].splitlines()[2:4]
    assert standard.split() == ["standard", "as", "it", "is", "8.00", "ms", "±0.1%", "1.00×"]
    assert separable.split() == ["depthwise-separable", "1", "of", "2", "5.00", "ms", "±0.1%", "1.60×"]
    assert "the rest of the model is not in it" in text


def test_without_one_layer_there_is_no_sum():
    document = json.loads(render("json", summed(*each_layer(TOO_LARGE))))
    jsonschema.validate(document, closed(schema_named("comparison-1")))
    standard, separable = document["totals"]
    assert (standard["latency_sum"]["median_ms"], standard["latency_sum"]["layers"]) == (pytest.approx(8.0), 2)
    ends = (STANDARD.interval.low, STANDARD.interval.high)
    assert standard["latency_sum"]["ci95_ms"] == [pytest.approx(2000 * end) for end in ends]
    assert separable["latency_sum"] is None
    assert separable["not_measured"]["reason"] == "stem.conv: running it needs 103.6 MB"
    assert "not measured: stem.conv: running it needs" in render("table", summed(*each_layer(TOO_LARGE)))


def test_noise_in_one_layer_leaves_no_figure_of_the_sum():
    noisy = measurement(around(0.004, spread=0.9))
    text = render("table", summed(*each_layer(noisy)))
    assert "(noisy)" in text.partition("added up")[2]
    assert text.partition("added up")[2].splitlines()[3].endswith("–")


def test_a_single_layer_is_its_own_sum():
    assert "added up" not in render("table", report(FASTER, TOO_LARGE, STANDARD))
