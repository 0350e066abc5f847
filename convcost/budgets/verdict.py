"""Analysis and budgets to verdicts: passed, failed, or not to be told."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from convcost import __version__
from convcost.analysis import Analysis, Json, Layer
from convcost.budgets.budget import Budget

SCHEMA = "convcost/verdicts/1"


class Status(enum.Enum):
    """With unknown ops a total is a lower bound: under the limit nothing can be told, over it all the same."""

    PASS = "pass"
    FAIL = "fail"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One budget held against one model. `value` is a lower bound where `lower_bound` says so."""

    budget: Budget
    value: int
    lower_bound: bool
    costliest: tuple[Layer, ...] = ()

    @property
    def status(self) -> Status:
        if self.value > self.budget.limit:
            return Status.FAIL
        return Status.CANNOT_TELL if self.lower_bound else Status.PASS

    @property
    def margin(self) -> int:
        """What is left under the limit; negative when over it."""
        return self.budget.limit - self.value

    def to_json(self) -> dict[str, Json]:
        metric = self.budget.metric
        return {
            "metric": metric.name,
            "unit": metric.unit.value,
            "limit": self.budget.limit,
            "value": self.value,
            "lower_bound": self.lower_bound,
            "status": self.status.value,
            "margin": self.margin,
            "costliest": [{"name": layer.name, metric.name: metric.of(layer)} for layer in self.costliest],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """Every verdict on one model, in the order the budgets were given."""

    analysis: Analysis
    verdicts: tuple[Verdict, ...]

    def __iter__(self) -> Iterator[Verdict]:
        return iter(self.verdicts)

    @property
    def status(self) -> Status:
        """The worst of the verdicts: a failure, then what cannot be told."""
        found = {verdict.status for verdict in self.verdicts}
        return next((status for status in (Status.FAIL, Status.CANNOT_TELL) if status in found), Status.PASS)

    def to_json(self) -> dict[str, Json]:
        """The document of `docs/schema/verdicts-1.json`."""
        return {
            "schema": SCHEMA,
            "convcost": __version__,
            "source": {"target": self.analysis.target, "kind": self.analysis.source},
            "status": self.status.value,
            "totals": dict(self.analysis.totals.to_json()),
            "coverage": self.analysis.coverage_json(),
            "notes": list(self.analysis.notes),
            "verdicts": [verdict.to_json() for verdict in self.verdicts],
        }


def check_analysis(analysis: Analysis, budgets: Iterable[Budget], *, costliest: int = 5) -> Verdicts:
    """Each budget against the model's total; a failure names the layers that cost most of it."""
    return Verdicts(analysis=analysis, verdicts=tuple(_judge(analysis, budget, costliest) for budget in budgets))


def exit_code(results: Iterable[Verdicts]) -> int:
    """0 all passed, 1 a budget exceeded, 3 cannot tell; 1 beats 3."""
    found = {result.status for result in results}
    if Status.FAIL in found:
        return 1
    return 3 if Status.CANNOT_TELL in found else 0


def _judge(analysis: Analysis, budget: Budget, costliest: int) -> Verdict:
    value = budget.metric.total(analysis.totals)
    failed = value > budget.limit
    return Verdict(
        budget=budget,
        value=value,
        lower_bound=analysis.is_lower_bound,
        costliest=_costliest(analysis, budget, costliest) if failed else (),
    )


def _costliest(analysis: Analysis, budget: Budget, count: int) -> tuple[Layer, ...]:
    metric = budget.metric
    if metric.measure is None:  # a peak is reached, not added up
        return ()
    ranked = sorted(analysis.layers, key=metric.of, reverse=True)
    return tuple(layer for layer in ranked[:count] if metric.of(layer))
