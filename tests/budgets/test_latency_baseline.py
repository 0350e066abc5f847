"""The latency baseline: machine by machine, and silent about every machine but this one."""

from __future__ import annotations

import json

import jsonschema
import pytest

from convcost.budgets.latency_baseline import LatencyBaseline
from convcost.errors import SourceError
from convcost.latency import Fingerprint
from tests.latency.measurements import around, measurement
from tests.reports.test_json import closed, schema_named

HERE = Fingerprint(facts={"processor": "A", "threads": "1"})
THERE = Fingerprint(facts={"processor": "B", "threads": "1"})
EMPTY = LatencyBaseline(file="times.json", machines={})


def read_again(baseline: LatencyBaseline) -> LatencyBaseline:
    document = json.loads(baseline.text())
    jsonschema.validate(document, closed(schema_named("latency-baseline-1")))
    return LatencyBaseline.read(document, file=baseline.file)


def test_what_was_written_is_read_again() -> None:
    baseline = EMPTY.merged(HERE, {"net": measurement(around(0.010))}).merged(THERE, {"b": measurement(around(1.0))})
    assert read_again(baseline) == baseline
    assert read_again(EMPTY) == EMPTY


def test_the_order_of_writing_does_not_show() -> None:
    net, other = measurement(around(0.010)), measurement(around(0.020))
    first = EMPTY.merged(HERE, {"net": net, "other": other}).merged(THERE, {"net": net})
    second = EMPTY.merged(THERE, {"net": net}).merged(HERE, {"other": other}).merged(HERE, {"net": net})
    assert first.text() == second.text()


def test_only_this_machine_counts() -> None:
    now = measurement(around(0.011))
    stored = EMPTY.merged(THERE, {"net": measurement(around(0.010))})
    timing = stored.timing("net", now, HERE)
    assert (timing.reference, timing.missing_code.name) == (None, "CC207")
    assert timing.missing == "measured on another machine (processor: A, was B)"
    own = stored.merged(HERE, {"net": now}).timing("net", now, HERE)
    assert own.reference is not None
    assert (own.reference.origin, own.reference.in_turn) == ("times.json", False)
    assert own.reference.p10 == pytest.approx(now.p10, abs=1e-9)


def test_a_model_that_no_machine_has_is_missing() -> None:
    timing = EMPTY.timing("net", measurement(around(0.01)), HERE)
    assert timing.missing_code.name == "CC203"
    assert "net is not in times.json" in timing.missing


def test_updating_leaves_other_models_and_machines_as_they_are() -> None:
    before = EMPTY.merged(HERE, {"a": measurement(around(1.0))}).merged(THERE, {"a": measurement(around(2.0))})
    after = before.merged(HERE, {"b": measurement(around(3.0))})
    assert after.machines[THERE.digest] == before.machines[THERE.digest]
    assert after.machines[HERE.digest].models["a"] == before.machines[HERE.digest].models["a"]


def test_many_samples_are_thinned_without_moving_the_tenth_percentile() -> None:
    now = measurement([0.010 + 1e-6 * ((step * 7919) % 5000) for step in range(5000)])
    stored = EMPTY.merged(HERE, {"net": now})
    (times,) = stored.machines[HERE.digest].models.values()
    assert len(times) == 101
    reference = stored.timing("net", now, HERE).reference
    assert reference is not None
    assert reference.p10 == pytest.approx(now.p10, rel=1e-6)


def test_a_change_is_told_from_where_to_where() -> None:
    stored = EMPTY.merged(HERE, {"net": measurement(around(0.010, spread=0))})
    now = measurement(around(0.012, spread=0))
    assert stored.change("net", now, HERE) == "net: latency 10.00 ms → 12.00 ms (+20 %)"
    assert stored.change("net", now, THERE) == "net: new for this machine, latency 12.00 ms"


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"schema": "convcost/baseline/1", "models": {}},
        {"schema": "convcost/latency-baseline/1"},
        {"schema": "convcost/latency-baseline/1", "machines": [{"machine": {}}]},
        {"schema": "convcost/latency-baseline/1", "machines": [{"machine": {}, "models": {"a": 1}}]},
        {"schema": "convcost/latency-baseline/1", "machines": [{"machine": {}, "models": {"a": {"samples_ns": []}}}]},
        {"schema": "convcost/latency-baseline/1", "machines": [{"machine": {}, "models": {"a": {"samples_ns": [0]}}}]},
    ],
)
def test_another_file_is_refused_by_its_name(document: object) -> None:
    with pytest.raises(SourceError, match=r"times\.json: not a latency baseline"):
        LatencyBaseline.read(document, file="times.json")
