"""Budgets as the command line and the environment write them."""

from __future__ import annotations

from convcost.analysis.metrics import Metric, Quantity, quantity_named
from convcost.budgets.budget import (
    Budget,
    Increase,
    LatencyBudget,
    LatencyIncrease,
    LayerBudget,
    growth_of,
    limit_of,
)
from convcost.errors import UsageError
from convcost.units import example_of


def parse_budget(text: str) -> Budget | LatencyBudget:
    """Reads `macs=600M` or `latency=12ms`; raises `UsageError` for a value whose metric is left to guess."""
    metric, value = _metric_and_value(text, option="--max")
    if isinstance(metric, Metric):
        return Budget.of(metric.name, value)
    return LatencyBudget(limit=limit_of(metric, value))


def parse_layer_budget(text: str) -> LayerBudget:
    """Reads `GLOB:METRIC=VALUE`, such as `features.*:macs=25M`: a limit on each layer alone.

    >>> parse_layer_budget("features.*:macs=25M").limit
    25000000
    """
    match, separator, limit = text.rpartition(":")
    if not separator or not match.strip():
        raise UsageError(f"--layer-max '{text}' does not say for which layers", hint="write 'features.*:macs=25M'")
    metric, value = _metric_and_value(limit, option="--layer-max", lead=f"{match}:")
    measured = metric_of_layers(metric)
    return LayerBudget(metric=measured, limit=limit_of(measured, value), match=match.strip())


def parse_increase(text: str) -> Increase | LatencyIncrease:
    """Reads `macs=5%` or `latency=5%`; raises `UsageError`."""
    metric, value = _metric_and_value(text, option="--max-increase", example="5%")
    growth = growth_of(metric, value)
    return Increase(metric=metric, limit=growth) if isinstance(metric, Metric) else LatencyIncrease(limit=growth)


def metric_of_layers(metric: Quantity) -> Metric:
    """The metric itself; raises `UsageError` for one that layers do not have."""
    if isinstance(metric, Metric) and metric.measure is not None:
        return metric
    raise UsageError(
        f"{metric.name} belongs to the whole model, not to a layer",
        hint=f"write --max {metric.name}={example_of(metric.unit)}",
    )


def _metric_and_value(text: str, *, option: str, lead: str = "", example: str = "") -> tuple[Quantity, str]:
    metric, separator, value = text.partition("=")
    written = metric.strip()
    if not separator and not written[:1].isalpha():
        hint = f"write {option} {lead}macs={written or '600M'}"
        raise UsageError(f"{option} '{lead}{text}' does not say of which metric", hint=hint)
    known = quantity_named(written)
    if not separator:
        hint = f"write {option} {lead}{known.name}={example or example_of(known.unit)}"
        raise UsageError(f"{option} '{lead}{text}' does not say how much", hint=hint)
    return known, value
