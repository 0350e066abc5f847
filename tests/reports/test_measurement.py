"""Measured models as text, JSON and rows."""

from __future__ import annotations

from dataclasses import replace

from convcost.analysis import analyze_graph
from convcost.latency import Measurement, NotMeasurable, Setting
from convcost.reports import render
from convcost.reports.measurement import MeasuredModel, MeasurementReport
from tests.latency.measurements import around, measurement
from tests.networks import small_network

ANALYSIS = analyze_graph(small_network())
TORCH = Setting(runtime="torch")
TOO_LARGE = NotMeasurable(reason="running it needs 9 GB", needed_bytes=9_000_000_000)


def report(*latencies: Measurement | NotMeasurable, partial: bool = False) -> MeasurementReport:
    models = [MeasuredModel(analysis=ANALYSIS, setting=TORCH, latency=latency) for latency in latencies]
    return MeasurementReport(models=tuple(models), partial=partial)


def test_the_setting_is_always_printed():
    text = render("table", report(measurement(around(0.0123))))
    assert "torch on a processor, 1 thread; 40 samples" in text
    assert "  Latency     12.3 ms ±" in text
    assert "load 0.50" in text


def test_noise_takes_digits_away_everywhere():
    text = render("table", report(measurement(around(0.0123, spread=0.9))))
    assert "about 10 ms (noisy)" in text
    assert "p10 to p90  3 ms to 20 ms" in text
    assert "MACs/s" not in text


def test_a_model_is_set_beside_the_first_of_its_setting():
    text = render("table", report(measurement(around(0.010)), measurement(around(0.020))))
    assert text.count("Verdict") == 1
    assert "as many MACs, 2.0x slower here (beside " in text


def test_nothing_is_compared_with_what_was_not_measured():
    for pair in ((TOO_LARGE, measurement(around(0.01))), (measurement(around(0.01)), TOO_LARGE)):
        assert "Verdict" not in render("table", report(*pair))


def test_what_was_not_measured_says_why_in_every_format():
    refused = report(TOO_LARGE)
    assert render("table", refused).count("not measured: running it needs 9 GB") == 1
    assert "running it needs 9 GB" in render("markdown", refused)
    assert render("csv", refused).splitlines()[1].endswith(",running it needs 9 GB")
    document = refused.to_json()
    assert (document["latency"], document["not_measured"]["needed_bytes"]) == (None, 9_000_000_000)


def test_an_interrupted_report_says_so():
    partial = report(measurement(around(0.01), partial=True, converged=False), partial=True)
    assert "partial, interrupted" in render("table", partial).splitlines()[0]
    assert partial.to_json()["partial"] is True
    assert "interrupted before the median was known" in " ".join(partial.notes())


def test_rows_hold_milliseconds():
    (row,) = report(measurement([0.002] * 20)).records().rows
    assert row[5:8] == (2.0, 2.0, 2.0)


def test_notes_name_their_model_where_there_are_several():
    noted = replace(measurement(around(0.01)), notes=("weights are random",))
    assert report(noted, noted).notes()[-1] == f"{ANALYSIS.target}: weights are random"
    assert report(noted).notes()[-1] == "weights are random"
