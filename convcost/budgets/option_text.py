"""Budgets as the command line and the environment write them."""

from __future__ import annotations

from convcost.analysis.metrics import Metric, metric_named
from convcost.budgets.budget import Budget, Increase, LayerBudget, growth_of
from convcost.errors import UsageError


def parse_budget(text: str) -> Budget:
    """Reads `macs=600M`; raises `UsageError` for a value without a metric, which could mean anything."""
    metric, value = _metric_and_value(text, option="--max")
    return Budget.of(metric.name, value)


def parse_layer_budget(text: str) -> LayerBudget:
    """Reads `GLOB:METRIC=VALUE`, such as `features.*:macs=25M`: a limit on each layer alone.

    >>> parse_layer_budget("features.*:macs=25M").limit
    25000000
    """
    match, separator, limit = text.rpartition(":")
    if not separator or not match.strip():
        raise UsageError(f"--layer-max '{text}' does not say for which layers", hint="write 'features.*:macs=25M'")
    metric, value = _metric_and_value(limit, option="--layer-max", lead=f"{match}:")
    refuse_whole_model(metric)
    return LayerBudget(metric=metric, limit=Budget.of(metric.name, value).limit, match=match.strip())


def parse_increase(text: str) -> Increase:
    """Reads `macs=5%`; raises `UsageError`."""
    metric, value = _metric_and_value(text, option="--max-increase", example="macs=5%")
    return Increase(metric=metric, limit=growth_of(metric, value))


def refuse_whole_model(metric: Metric) -> None:
    """Raises `UsageError` for a metric that layers do not have."""
    if metric.measure is None:
        raise UsageError(
            f"{metric.name} belongs to the whole model, not to a layer", hint=f"write --max {metric.name}=20MB"
        )


def _metric_and_value(text: str, *, option: str, lead: str = "", example: str = "macs=600M") -> tuple[Metric, str]:
    metric, separator, value = text.partition("=")
    if not separator:
        written = metric.strip()
        hint = f"write {option} {lead}{f'macs={written}' if written[:1].isdigit() else example}"
        raise UsageError(f"{option} '{lead}{text}' does not say of which metric", hint=hint)
    return metric_named(metric.strip()), value
