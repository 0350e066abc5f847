"""What a measurement says of itself, and that layers add up."""

from __future__ import annotations

import dataclasses
import json
import pickle

import pytest

from convcost.latency.profile import Profile, profiled_runs, scaled_layers
from convcost.latency.protocol import Protocol
from convcost.latency.result import LayerLatencies, NotMeasurable
from tests.latency.measurements import QUIET, around, measurement

PROMISED = (
    *("runtime", "device", "threads", "median_ms", "p10_ms", "p90_ms"),
    *("ci95_ms", "samples", "converged", "first_run_ms"),
)


def test_json_begins_with_the_promised_latency_object():
    document = measurement(around(0.004)).to_json()
    assert tuple(document)[: len(PROMISED)] == PROMISED
    assert document["runtime"] == "torch"
    assert document["median_ms"] == pytest.approx(4.0)
    assert document["p10_ms"] < 4.0 < document["p90_ms"]
    assert document["ci95_ms"][0] <= document["median_ms"] <= document["ci95_ms"][1]
    assert document["samples"] == 40
    assert document["first_run_ms"] == 1000.0
    json.dumps(document)


def test_json_keeps_every_raw_sample_and_counts_outliers():
    times = [*around(0.004), 0.4]
    document = measurement(times).to_json()
    assert document["samples_ms"] == [1000 * seconds for seconds in times]
    assert document["outliers"] == 1
    assert document["samples"] == 41


def test_a_wide_interval_is_noisy_and_complains():
    noisy = measurement([1.0, 2.0, 3.0, 1.5, 2.5, 1.2, 2.8], converged=False)
    assert noisy.is_noisy
    assert any("known to" in complaint for complaint in noisy.complaints)
    assert not measurement(around(1.0)).complaints


def test_the_machine_is_blamed_only_where_the_measurement_failed():
    crowded = dataclasses.replace(QUIET, others=3.9)
    assert "other programs" in measurement(around(1.0), health=crowded, converged=False).complaints[0]
    assert not measurement(around(1.0), health=crowded).complaints


def test_drift_and_interrupts_are_complained_about():
    drifting = measurement([1 + 0.01 * step for step in range(30)], converged=False, partial=True)
    assert any("drifted" in complaint for complaint in drifting.complaints)
    assert any("interrupted" in complaint for complaint in drifting.complaints)
    assert drifting.to_json()["partial"] is True


def test_results_are_picklable():
    result = measurement(around(1.0))
    assert pickle.loads(pickle.dumps(result)) == result


def profile(**changes: object) -> Profile:
    runs = tuple({"a": 0.001 * (1 + step / 100), "b": 0.003} for step in range(12))
    return dataclasses.replace(
        Profile(runs=runs, unattributed=(0.0005,) * 12, whole=(0.005,) * 12, timed_with={"relu": "a"}), **changes
    )


def test_layers_add_up_to_the_unprofiled_total():
    total = measurement(around(0.004))
    layers = scaled_layers(profile(), total, Protocol())
    assert layers.total == pytest.approx(total.median)
    assert layers.unattributed > 0
    assert layers.layers["b"].median > 2 * layers.layers["a"].median


def test_the_profiler_overhead_is_reported_and_marks_layers_approximate_above_a_quarter():
    total = measurement(around(0.004))
    layers = scaled_layers(profile(), total, Protocol())
    assert layers.overhead == pytest.approx(0.25)
    assert not layers.is_approximate
    slow = scaled_layers(profile(whole=(0.0051,) * 12), total, Protocol())
    assert slow.is_approximate
    assert slow.layers["a"].approximate
    assert slow.layers["a"].summary_json()["approximate"] is True


def test_a_profile_that_knows_no_layer_leaves_all_time_unattributed():
    total = measurement(around(0.004))
    layers = scaled_layers(profile(runs=({},) * 12, unattributed=(0.0,) * 12), total, Protocol())
    assert layers.total == pytest.approx(total.median)


def test_a_layer_says_its_time_or_who_carries_it():
    layers: LayerLatencies = scaled_layers(profile(), measurement(around(0.004)), Protocol())
    assert layers.layer_json("a")["runtime"] == "torch"
    assert layers.layer_json("relu") is None
    assert layers.to_json()["timed_with"] == {"relu": "a"}
    assert layers.layer_json("unheard of") is None
    assert layers.to_json()["approximate"] is False


@pytest.mark.parametrize(("seconds", "runs"), [(1e-4, 100), (0.01, 50), (0.4, 10), (2.0, 5), (60.0, 3)])
def test_as_many_runs_are_profiled_as_time_allows(seconds, runs):
    assert profiled_runs(measurement(around(seconds)), Protocol()) == runs


def test_not_measurable_names_the_bytes():
    assert NotMeasurable(reason="too big", needed_bytes=12).to_json() == {"reason": "too big", "needed_bytes": 12}
