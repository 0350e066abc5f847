"""Analysis, budgets and, where there is one, a baseline to verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import assert_never

from convcost.analysis import Analysis, Layer
from convcost.analysis.metrics import Metric
from convcost.budgets.budget import Budget, Increase, LatencyBudget, LatencyIncrease, LayerBudget, Level, Rule
from convcost.budgets.codes import (
    GROWN,
    LAYER_OVER,
    LAYERS_OVER,
    NO_BASELINE,
    NO_SUCH_LAYER,
    TOTAL_OVER,
    UNCOUNTED,
    Code,
)
from convcost.budgets.difference import Difference, difference
from convcost.budgets.timing import Timing, hold_latency
from convcost.budgets.verdict import Cause, Status, Verdict, Verdicts
from convcost.dataclasses import dataclass
from convcost.graph.ops import Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What a model was before, at a `revision` or in a file. Without an analysis, `missing` says why there is none."""

    analysis: Analysis | None = None
    revision: str = ""
    missing: str = "no baseline is named"


_NO_REFERENCE = Reference()


def check_analysis(
    analysis: Analysis,
    budgets: Iterable[Rule],
    *,
    costliest: int = 5,
    name: str = "",
    reference: Reference = _NO_REFERENCE,
    timing: Timing | None = None,
) -> Verdicts:
    """Each budget that holds for the model (by its `name`) against it; a failure names the layers behind it.

    `costliest` is how many layers are named for a total; a limit on each layer names all that break it.
    """
    change = difference(reference.analysis, analysis) if reference.analysis else None
    judge = _Judge(analysis, change, reference, timing or Timing(), costliest)
    held = [rule for rule in budgets if rule.terms.level is not Level.OFF and rule.terms.holds_for(name)]
    return Verdicts(
        analysis=analysis,
        verdicts=tuple(at_level(judge.verdict(rule)) for rule in held),
        name=name,
        difference=change,
        timing=timing,
    )


@dataclass(slots=True)
class _Judge:
    """One model, ready to be held to any budget."""

    analysis: Analysis
    change: Difference | None
    reference: Reference
    timing: Timing
    named: int

    def verdict(self, rule: Rule) -> Verdict:
        match rule:
            case Budget():
                return self._total(rule)
            case LayerBudget():
                return self._layers(rule)
            case Increase():
                return self._increase(rule)
            case LatencyBudget() | LatencyIncrease():
                return hold_latency(rule, self.timing)
            case _:
                assert_never(rule)

    def _total(self, rule: Budget) -> Verdict:
        value = rule.metric.total(self.analysis.totals)
        least = rule.metric.is_least(self.analysis)
        verdict = _held(rule, value, rule.limit, rule.warn, lower_bound=least, code=TOTAL_OVER)
        return self._with_causes(verdict, rule.metric)

    def _layers(self, rule: LayerBudget) -> Verdict:
        layers = rule.select(self.analysis.layers)
        if not layers:
            which = f"'{rule.match}'" + (f" of kind '{rule.kind}'" if rule.kind else "")
            return _cannot_tell(rule, NO_SUCH_LAYER, f"no layer matches {which}", limit=rule.limit)
        metric = rule.metric
        unknown = not metric.stored and any(isinstance(layer.node.op, Unknown) for layer in layers)
        alone = rule.per == "layer"
        value = (max if alone else sum)(metric.of(layer) for layer in layers)
        code = LAYER_OVER if alone else LAYERS_OVER
        verdict = _held(rule, value, rule.limit, rule.warn, lower_bound=unknown, code=code)
        if verdict.code is not code or verdict.limit is None:
            return verdict
        ranked = _ranked(layers, metric)
        blamed = [layer for layer in ranked if metric.of(layer) > verdict.limit] if alone else ranked[: self.named]
        reason = f"{len(blamed)} of {len(layers)} layers over" if alone else f"the sum of {len(layers)} layers"
        return replace(verdict, reason=reason, causes=tuple(self._cause(layer, metric) for layer in blamed))

    def _increase(self, rule: Increase) -> Verdict:
        if self.change is None:
            return _cannot_tell(rule, NO_BASELINE, self.reference.missing)
        before, value = self.change.totals(rule.metric)
        limit, warn = (
            None if growth is None else growth.allowed(before, rule.ignore_below) for growth in (rule.limit, rule.warn)
        )
        least = rule.metric.is_least(self.analysis)
        if rule.metric.is_least(self.change.old):
            reason = "the baseline holds uncounted ops: its values are lower bounds"
            return _cannot_tell(rule, UNCOUNTED, reason, value=value, limit=limit, baseline=before)
        verdict = replace(_held(rule, value, limit, warn, lower_bound=least, code=GROWN), baseline=before)
        verdict = replace(verdict, revision=self.reference.revision)
        inputs = "; ".join(self.change.input_changes())
        return self._with_causes(replace(verdict, reason=inputs or verdict.reason), rule.metric)

    def _with_causes(self, verdict: Verdict, metric: Metric) -> Verdict:
        """The layers that have grown since the baseline; without one, or where none has, the costliest."""
        if verdict.code in (None, UNCOUNTED) or metric.measure is None:
            return verdict
        risen = self.change.risen(metric) if self.change else ()
        grown = [change.pair.new for change in risen if change.pair.new]
        layers = (grown or _ranked(self.analysis.layers, metric))[: self.named]
        return replace(verdict, causes=tuple(self._cause(layer, metric) for layer in layers))

    def _cause(self, layer: Layer, metric: Metric) -> Cause:
        value = metric.of(layer)
        if self.change is None:
            return Cause(layer=layer, value=value)
        for change in self.change.changes:
            if change.pair.new is layer:
                before = value - change.delta(metric) if change.pair.old else None
                return Cause(layer=layer, value=value, baseline=before, reason=change.reason(metric))
        return Cause(layer=layer, value=value, baseline=value)


def _held(rule: Rule, value: int, limit: int | None, warn: int | None, *, lower_bound: bool, code: Code) -> Verdict:
    """A value against its two thresholds; a lower bound can break a limit, and cannot keep one."""
    shown = limit if limit is not None else warn
    verdict = Verdict(budget=rule, status=Status.PASS, value=value, limit=shown, lower_bound=lower_bound)
    if limit is not None and value > limit:
        return replace(verdict, status=Status.FAIL, code=code)
    if lower_bound:
        status = Status.CANNOT_TELL if limit is not None else Status.WARN
        return replace(verdict, status=status, code=UNCOUNTED, reason="some ops are not counted")
    if warn is not None and value > warn:
        return replace(verdict, status=Status.WARN, code=code, limit=warn)
    return verdict


def _cannot_tell(
    rule: Rule,
    code: Code,
    reason: str,
    *,
    value: int | None = None,
    limit: int | None = None,
    baseline: int | None = None,
) -> Verdict:
    return Verdict(
        budget=rule,
        status=Status.CANNOT_TELL,
        value=value,
        limit=limit,
        baseline=baseline,
        lower_bound=value is not None,
        code=code,
        reason=reason,
    )


def at_level(verdict: Verdict) -> Verdict:
    """A budget that only warns neither fails nor leaves open."""
    if verdict.budget.terms.level is Level.WARN and verdict.status in (Status.FAIL, Status.CANNOT_TELL):
        return replace(verdict, status=Status.WARN)
    return verdict


def _ranked(layers: Iterable[Layer], metric: Metric) -> Sequence[Layer]:
    return [layer for layer in sorted(layers, key=metric.of, reverse=True) if metric.of(layer)]
