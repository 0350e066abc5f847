"""The one table of metrics."""

from __future__ import annotations

import pytest

from convcost.analysis import analyze_graph
from convcost.analysis.metrics import METRICS, metric_named
from convcost.errors import UsageError
from convcost.units import Unit
from tests.networks import small_network

ANALYSIS = analyze_graph(small_network())


def test_every_total_in_json_is_a_metric() -> None:
    assert [metric.name for metric in METRICS] == list(ANALYSIS.totals.to_json())


def test_units_follow_the_name() -> None:
    assert {m.name for m in METRICS if m.unit is Unit.BYTES} == {m.name for m in METRICS if "bytes" in m.name}


@pytest.mark.parametrize("metric", [m for m in METRICS if m.measure], ids=lambda m: m.name)
def test_layers_and_what_nothing_uses_add_up_to_the_total(metric: object) -> None:
    layers = sum(metric.of(layer) for layer in ANALYSIS.layers)
    unused = getattr(ANALYSIS.unused, metric.name, 0)
    assert layers + unused == metric.total(ANALYSIS.totals)


def test_a_peak_belongs_to_no_layer() -> None:
    with pytest.raises(UsageError, match="whole model") as caught:
        metric_named("peak_activation_bytes").of(ANALYSIS.layers[0])
    assert "activation_bytes" in caught.value.hint


@pytest.mark.parametrize(("wrong", "right"), [("mac", "macs"), ("Params", "params"), ("weight-bytes", "weight_bytes")])
def test_a_near_name_is_suggested(wrong: str, right: str) -> None:
    with pytest.raises(UsageError) as caught:
        metric_named(wrong)
    assert caught.value.hint == f"did you mean {right}?"


def test_a_name_near_nothing_is_told_all() -> None:
    with pytest.raises(UsageError) as caught:
        metric_named("watts")
    assert "macs, other_ops, flops" in caught.value.hint
