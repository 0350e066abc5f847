"""Measured analyses as text, JSON and rows; the times are made up."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

import jsonschema
import pytest

from convcost import api
from convcost.analysis import Analysis
from convcost.latency import INTERRUPTED, INTERRUPTED_PROFILE, LayerLatencies, Measurement, NotMeasurable
from convcost.reports import render
from convcost.reports.analysis import AnalysisReport
from convcost.reports.timed_analysis import TimedAnalysisReport, TimedModel
from convcost.reports.view import View
from tests.latency.measurements import around, measurement
from tests.reports.test_json import closed, schema_named

ANALYSIS = api.analyze(Path(__file__).parents[2] / "sample_configs" / "mobilenet_v1.yaml")
NAMES = [layer.name for layer in ANALYSIS.layers]
TOTAL = measurement(around(0.010))


def latencies(*, overhead: float = 0.1, times: Mapping[str, float] | None = None) -> LayerLatencies:
    """The first layer takes 6 ms, the last 3 ms, and 1 ms is nobody's; the others are fused into the first."""
    chosen = times or {NAMES[0]: 0.006, NAMES[-1]: 0.003}
    return LayerLatencies(
        layers={name: measurement([seconds] * 20) for name, seconds in chosen.items()},
        timed_with={name: NAMES[0] for name in NAMES if name not in chosen},
        unattributed=0.001,
        overhead=overhead,
    )


def report(
    total: Measurement | NotMeasurable = TOTAL,
    layers: LayerLatencies | NotMeasurable | None = None,
    view: View | None = None,
    analysis: Analysis = ANALYSIS,
) -> TimedAnalysisReport:
    model = TimedModel(analysis=analysis, total=total, layers=layers or latencies())
    costs = AnalysisReport(analyses=(analysis,), view=view or View(every_row=True))
    return TimedAnalysisReport(costs=costs, models=(model,))


def column(shown: TimedAnalysisReport) -> dict[str, str]:
    """The cells of the time column by their rows' names."""
    table = shown.documents()[0].tables[0]
    at = next(position for position, each in enumerate(table.columns) if each.key == "latency")
    return {str(row[0]): str(row[at] or "") for row in (*table.rows, *table.summary)}


def milliseconds(cells: Mapping[str, str]) -> float:
    return sum(float(cell.split()[0].lstrip("~")) for name, cell in cells.items() if cell.endswith("ms"))


@pytest.mark.parametrize(
    "view",
    [View(every_row=True), View(), View(top=1), View(by="kind"), View(by="module"), View(by="module", top=1)],
    ids=repr,
)
def test_the_rows_of_every_view_add_up_to_the_total(view):
    cells = column(report(view=view))
    assert cells.pop("Total") == "10.0 ms"
    assert milliseconds(cells) == pytest.approx(10.0)


def test_a_fused_layer_has_no_time_of_its_own():
    cells = column(report())
    assert (cells[NAMES[0]], cells[NAMES[-1]], cells[NAMES[1]]) == ("6.00 ms", "3.00 ms", "shared")
    assert "shared: timed together with another layer" in render("table", report())


def test_a_layer_that_nothing_ran_for_has_a_dash():
    found = LayerLatencies(layers=latencies().layers, timed_with={}, unattributed=0.0, overhead=0.0)
    cells = column(report(layers=found))
    assert cells[NAMES[1]] == "–"
    assert "(outside all layers)" not in cells


@pytest.mark.parametrize(("overhead", "marked"), [(0.25, False), (0.26, True)])
def test_above_a_quarter_of_overhead_the_column_is_marked(overhead, marked):
    text = render("table", report(layers=latencies(overhead=overhead)))
    assert f"from a profiled run that took {overhead:.0%} longer" in text
    assert ("(approximate)" in text) == marked
    assert ("~6.0 ms" in text) == marked


def test_noise_takes_digits_away():
    noisy = measurement(around(0.01, spread=0.9))
    assert column(report(total=noisy))[NAMES[0]] == "6 ms"


def test_json_holds_latency_in_its_place():
    document = json.loads(render("json", report()))
    jsonschema.validate(document, closed(schema_named("analysis-1")))
    assert document["layers"][0]["latency"]["median_ms"] == pytest.approx(6.0)
    assert document["layers"][1]["latency"] is None
    assert document["layer_latency"]["timed_with"][NAMES[1]] == NAMES[0]
    assert document["latency"]["median_ms"] == pytest.approx(10.0)
    assert document["partial"] is False


def test_rows_for_spreadsheets_hold_milliseconds():
    rows = list(csv.DictReader(io.StringIO(render("csv", report()))))
    assert [row["latency_ms"] for row in rows][:2] == ["6.0", ""]
    assert len(rows) == len(NAMES)


def test_without_times_per_layer_the_whole_is_still_told():
    shown = report(layers=NotMeasurable(reason="a compiled module runs as one piece"))
    text = render("table", shown)
    assert "no time per layer: a compiled module runs as one piece" in text
    assert "  Latency          10.0 ms" in text
    assert shown.to_json()["layer_latency"] is None


def test_what_was_not_measured_is_still_counted():
    refused = NotMeasurable(reason="running it needs 9 GB", needed_bytes=9_000_000_000)
    shown = report(total=refused, layers=refused)
    assert "note: not measured: running it needs 9 GB" in render("table", shown)
    document = json.loads(render("json", shown))
    jsonschema.validate(document, closed(schema_named("analysis-1")))
    assert (document["latency"], document["not_measured"]["needed_bytes"]) == (None, 9_000_000_000)
    assert document["totals"] == ANALYSIS.totals.to_json()


@pytest.mark.parametrize(
    ("total", "layers"),
    [
        (INTERRUPTED, INTERRUPTED),
        (measurement(around(0.01), partial=True, converged=False), NotMeasurable(reason="interrupted before")),
        (TOTAL, INTERRUPTED_PROFILE),
    ],
)
def test_an_interrupted_report_says_so(total, layers):
    assert report(total, layers).partial
    assert "partial, interrupted" in render("table", report(total, layers)).splitlines()[0]
    assert not report().partial
