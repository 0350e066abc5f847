"""What came of holding a model to its budgets: passed, missed, or not to be told."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from convcost import __version__
from convcost.analysis import Analysis, Json, Layer
from convcost.budgets.budget import Budget, LatencyBudget, LayerBudget, Rule
from convcost.budgets.codes import Code
from convcost.budgets.difference import Difference
from convcost.dataclasses import dataclass

if TYPE_CHECKING:
    from convcost.budgets.timing import Timing

SCHEMA = "convcost/verdicts/1"


class Status(enum.Enum):
    """With unknown ops a total is a lower bound: under the limit nothing can be told, over it all the same."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A layer that a missed budget is due to: what it costs now, what it cost before where that is known, and why."""

    layer: Layer
    value: int
    baseline: int | None = None
    reason: str = ""

    def to_json(self) -> dict[str, Json]:
        origin = self.layer.node.origin
        return {
            "name": self.layer.name,
            "value": self.value,
            "baseline": self.baseline,
            "reason": self.reason,
            "file": origin.file if origin else None,
            "line": origin.line if origin else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One budget held against one model. `value` is a lower bound where `lower_bound` says so.

    `limit` is the number the value was held to: the budget's own, its warning threshold where that alone was
    passed, or the baseline and what it may grow by. Both are None where there was nothing to measure.
    `code` and `reason` say what was found; on a pass there is no code, and a reason only where times were compared.
    `approximate` is a time known too badly for three digits, `revision` where `baseline` is from if that is no file.
    """

    budget: Rule
    status: Status
    value: int | None
    limit: int | None
    baseline: int | None = None
    revision: str = ""
    lower_bound: bool = False
    approximate: bool = False
    causes: tuple[Cause, ...] = ()
    code: Code | None = None
    reason: str = ""

    @property
    def costliest(self) -> tuple[Layer, ...]:
        """The layers of the causes."""
        return tuple(cause.layer for cause in self.causes)

    @property
    def margin(self) -> int | None:
        """What is left under the limit; negative when over it."""
        return None if self.value is None or self.limit is None else self.limit - self.value

    def to_json(self) -> dict[str, Json]:
        rule, metric = self.budget, self.budget.metric
        where = rule.terms.where
        return {
            "code": self.code.name if self.code else None,
            "subject": rule.subject,
            "metric": metric.name,
            "unit": metric.unit.value,
            "per": _per(rule),
            "limit": self.limit,
            "warn": rule.warn if isinstance(rule, Budget | LayerBudget | LatencyBudget) else None,
            "value": self.value,
            "baseline": self.baseline,
            "lower_bound": self.lower_bound,
            "approximate": self.approximate,
            "status": self.status.value,
            "level": rule.terms.level.value,
            "margin": self.margin,
            "reason": self.reason,
            "message": rule.terms.message,
            "config": {"file": where.file, "line": where.line, "column": where.column} if where else None,
            "costliest": [{"name": cause.layer.name, metric.name: cause.value} for cause in self.causes],
            "causes": [cause.to_json() for cause in self.causes],
        }


def _per(rule: Rule) -> str:
    match rule:
        case Budget() | LatencyBudget():
            return "model"
        case LayerBudget():
            return rule.per
        case _:
            return "increase"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """Every verdict on one model, in the order the budgets were given.

    `name` is the model's in the config, or its target; `difference` is from its baseline, where there is one, and
    `timing` what was measured, where a budget asked for it.
    """

    analysis: Analysis
    verdicts: tuple[Verdict, ...]
    name: str = ""
    difference: Difference | None = None
    timing: Timing | None = None

    def __iter__(self) -> Iterator[Verdict]:
        return iter(self.verdicts)

    @property
    def status(self) -> Status:
        """The worst of the verdicts: a failure, then what cannot be told, then a warning."""
        return worst(verdict.status for verdict in self.verdicts)

    def to_json(self) -> dict[str, Json]:
        """The document of `docs/schema/verdicts-1.json`."""
        return {
            "schema": SCHEMA,
            "convcost": __version__,
            "model": self.name or self.analysis.target,
            "source": {"target": self.analysis.target, "kind": self.analysis.source},
            "status": self.status.value,
            "totals": dict(self.analysis.totals.to_json()),
            "coverage": self.analysis.coverage_json(),
            "notes": list(self.analysis.notes),
            **_timing_json(self.timing),
            "verdicts": [verdict.to_json() for verdict in self.verdicts],
        }


def _timing_json(timing: Timing | None) -> dict[str, Json]:
    """What was measured and what it was set beside; nothing where no budget asked for it."""
    if timing is None:
        return {}
    return {
        "latency": timing.measured.to_json() if timing.measured else None,
        "latency_baseline": timing.reference.to_json() if timing.reference else None,
    }


def worst(statuses: Iterable[Status]) -> Status:
    """The one that decides; a pass where there are none."""
    found = set(statuses)
    order = (Status.FAIL, Status.CANNOT_TELL, Status.WARN)
    return next((status for status in order if status in found), Status.PASS)


def exit_code(results: Iterable[Verdicts | Verdict]) -> int:
    """0 all passed (or warned), 1 a budget exceeded, 3 cannot tell; 1 beats 3."""
    return {Status.FAIL: 1, Status.CANNOT_TELL: 3}.get(worst(result.status for result in results), 0)
