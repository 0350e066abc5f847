"""A limit on one metric of a model."""

from __future__ import annotations

from dataclasses import dataclass

from convcost.analysis.metrics import Metric, metric_named
from convcost.errors import UsageError
from convcost.units import parse_quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """`metric` may be `limit` at most: exactly `limit` is within it."""

    metric: Metric
    limit: int

    @classmethod
    def of(cls, metric: str, limit: int | str) -> Budget:
        """A budget from `("macs", "600M")` or `("macs", 600_000_000)`; raises `UsageError`."""
        known = metric_named(metric)
        if isinstance(limit, str):
            return cls(metric=known, limit=parse_quantity(limit, known.unit, metric=known.name))
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
            raise UsageError(f"{limit!r} is not a limit for {metric}", hint=f"write {metric}=600M or a whole number")
        return cls(metric=known, limit=limit)


def parse_budget(text: str) -> Budget:
    """Reads `macs=600M`; raises `UsageError` for a value without a metric, which could mean anything."""
    metric, separator, value = text.partition("=")
    if not separator:
        example = f"--max macs={text.strip()}" if text.strip()[:1].isdigit() else "--max macs=600M"
        raise UsageError(f"--max '{text}' does not say of which metric", hint=f"write {example}")
    return Budget.of(metric.strip(), value)
