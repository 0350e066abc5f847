"""What bounds layers and alternatives on a device, as text, JSON and rows; devices and times are made up."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import jsonschema
import pytest

from convcost import api
from convcost.graph import DType
from convcost.latency import CandidateLatencies, Device, LayerLatencies
from convcost.reports import Report, render
from convcost.reports.analysis import AnalysisReport
from convcost.reports.comparison import ComparisonReport
from convcost.reports.measured_comparison import MeasuredComparisonReport
from convcost.reports.roofline import RooflineReport
from convcost.reports.roofline_comparison import RooflineComparisonReport
from convcost.reports.timed_analysis import TimedAnalysisReport, TimedModel
from convcost.reports.view import View
from tests.latency.measurements import around, measurement
from tests.reports.test_json import closed, schema_named

SAMPLES = Path(__file__).parents[2] / "sample_configs"
ANALYSIS = api.analyze(SAMPLES / "mobilenet_v1.yaml")
COMPARISON = api.compare(SAMPLES / "layer.yaml", alternatives="depthwise_separable,winograd[tile=4]")
# From two MACs per byte on, arithmetic is the bound: of pointwise layers, but not of depthwise ones.
DEVICE = Device(name="a device", peaks={DType.FLOAT32: 1e9}, bytes_per_second=5e8, source="a guess", threads=2)
FIRST = ANALYSIS.layers[0].name


def report(view: View | None = None, *, measured: bool = False, device: Device = DEVICE) -> RooflineReport:
    shown = view or View(every_row=True)
    inner: Report = AnalysisReport(analyses=(ANALYSIS,), view=shown)
    times = None
    if measured:
        layers = {FIRST: measurement(around(0.1))}
        times = LayerLatencies(layers=layers, timed_with={}, unattributed=0.0, overhead=0.0)
        model = TimedModel(analysis=ANALYSIS, total=measurement(around(0.1)), layers=times)
        inner = TimedAnalysisReport(costs=AnalysisReport(analyses=(ANALYSIS,), view=shown), models=(model,))
    return RooflineReport(inner=inner, analyses=(ANALYSIS,), view=shown, device=device, times=(times,))


def cells(shown: RooflineReport, key: str) -> dict[str, object]:
    table = shown.documents()[0].tables[0]
    at = next((position for position, column in enumerate(table.columns) if column.key == key), None)
    return {} if at is None else {str(row[0]): row[at] for row in (*table.rows, *table.summary)}


def test_each_layer_says_what_bounds_it():
    bounds = cells(report(), "bound")
    assert bounds["block1.depthwise"] == "memory"
    assert bounds["block13.pointwise"] == "compute"


def test_the_least_time_of_a_layer_is_what_its_peaks_allow():
    (stem,) = [layer for layer in ANALYSIS.layers if layer.name == FIRST]
    described = report().to_json()["layers"][0]["roofline"]
    assert described["compute_ms"] == pytest.approx(stem.cost.flops / 2 / 1e9 * 1000)
    assert described["memory_ms"] == pytest.approx(stem.cost.bytes_moved / 5e8 * 1000)
    assert described["attainable_ms"] == max(described["compute_ms"], described["memory_ms"])


@pytest.mark.parametrize("view", [View(), View(top=2), View(by="kind"), View(by="module", top=3)], ids=repr)
def test_every_view_adds_up_to_the_same_total(view):
    shown = cells(report(view), "attainable")
    assert shown.pop("Total") == cells(report(), "attainable")["Total"]
    parts = sum(_milliseconds(str(text)) for text in shown.values() if text)
    assert parts == pytest.approx(_milliseconds(str(cells(report(), "attainable")["Total"])), rel=0.02)


def _milliseconds(text: str) -> float:
    number, unit = text.split()
    return float(number) * {"s": 1000, "ms": 1, "µs": 0.001}[unit]


def test_only_measured_layers_have_a_share_reached():
    assert cells(report(), "reached") == {}
    reached = cells(report(measured=True), "reached")
    least = report().to_json()["layers"][0]["roofline"]["attainable_ms"]
    assert reached[FIRST] == pytest.approx(least / 100, rel=0.01)
    assert reached["block1.depthwise"] is None


def test_the_rest_has_no_share_of_what_shown_layers_took():
    reached = cells(report(View(sort="execution", top=1), measured=True), "reached")
    assert reached.pop(FIRST) is not None
    assert reached.pop("Total") is not None
    assert set(reached.values()) == {None}


def test_what_takes_no_time_is_bound_by_nothing():
    views = [layer.name for layer in ANALYSIS.layers if not layer.cost.flops and not layer.cost.bytes_moved]
    assert views
    assert {cells(report(), "bound")[name] for name in views} == {None}


def test_the_device_and_its_source_are_printed():
    text = render("table", report())
    assert "at best on a device (a guess, 2 threads)." in text


def test_without_a_peak_for_the_type_only_memory_is_told():
    other = Device(name="another", peaks={DType.INT8: 1e12}, bytes_per_second=1e9)
    assert set(cells(report(device=other), "bound").values()) <= {None, "memory"}


@pytest.mark.parametrize("measured", [False, True])
def test_json_is_what_the_schema_says(measured):
    document = json.loads(render("json", report(measured=measured)))
    jsonschema.validate(document, closed(schema_named("analysis-1")))
    assert document["device"] == {"name": "a device", "source": "a guess"}


@pytest.mark.parametrize("view", [View(), View(top=2), View(by="kind")], ids=repr)
def test_rows_for_spreadsheets_hold_milliseconds(view):
    rows = list(csv.DictReader(io.StringIO(render("csv", report(view)))))
    least = sum(float(row["attainable_ms"]) for row in rows if row["attainable_ms"])
    every = [layer["roofline"] for layer in report().to_json()["layers"]]
    assert least == pytest.approx(sum(each["attainable_ms"] for each in every if each))


def compared(*, measured: bool, spread: float = 0.001) -> RooflineComparisonReport:
    costs, latencies = ComparisonReport(comparison=COMPARISON), ()
    if not measured:
        return RooflineComparisonReport(inner=costs, comparison=COMPARISON, device=DEVICE)
    (layer,) = COMPARISON.layers
    standard = measurement(around(0.4, spread))
    found = (standard, measurement(around(0.1)), measurement(around(0.3)))
    latencies = (CandidateLatencies(layer=layer, standard=standard, candidates=found),)
    inner = MeasuredComparisonReport(costs=costs, latencies=latencies, device=DEVICE)
    return RooflineComparisonReport(inner=inner, comparison=COMPARISON, device=DEVICE, latencies=latencies)


def test_alternatives_say_what_bounds_them():
    table = compared(measured=False).documents()[0].tables[-1]
    assert [column.key for column in table.columns][-2:] == ["bound", "attainable"]
    assert [row[:3] for row in table.rows[:2]] == [
        ("conv1", "standard", "compute"),
        ("conv1", "depthwise-separable", "compute"),
    ]


def test_measured_alternatives_have_a_share_reached_and_a_reason():
    text = render("table", compared(measured=True))
    assert "8.4x fewer MACs, 4.0x faster: compute-bound" in text
    (row,) = [row for row in compared(measured=True).documents()[0].tables[-1].rows if row[1] == "standard"]
    assert row[-1] == pytest.approx(COMPARISON.layers[0].standard.cost.macs / 1e9 / 0.4, rel=0.01)


def test_noise_leaves_no_share_reached():
    rows = compared(measured=True, spread=0.9).documents()[0].tables[-1].rows
    assert [row[-1] is None for row in rows[:2]] == [True, False]


@pytest.mark.parametrize("measured", [False, True])
def test_a_comparison_s_json_is_what_the_schema_says(measured):
    document = json.loads(render("json", compared(measured=measured)))
    jsonschema.validate(document, closed(schema_named("comparison-1")))
    assert document["layers"][0]["alternatives"][0]["roofline"]["bound"] == "compute"


def test_a_comparison_s_rows_hold_milliseconds():
    rows = list(csv.DictReader(io.StringIO(render("csv", compared(measured=True)))))
    assert float(rows[0]["attainable_ms"]) == pytest.approx(115.605504)
    assert float(rows[0]["median_ms"]) == pytest.approx(400, rel=0.01)
