"""What the models of a check were before: from the baseline file, or from another revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from convcost.analysis import Analysis
from convcost.analysis.metrics import metric_named
from convcost.budgets import Increase, Level, Reference, Rule, Status, Verdict
from convcost.budgets.baseline import Baseline
from convcost.budgets.budget import Terms
from convcost.budgets.codes import NO_BASELINE, NO_SUCH_MODEL, Code
from convcost.budgets.judge import at_level
from convcost.budgets.settings import COMMAND_LINE, DEFAULT, ENVIRONMENT, is_true
from convcost.cli.plan import CheckedModel, Plan
from convcost.dataclasses import dataclass
from convcost.errors import SourceError
from convcost.targets.git import Revision
from convcost.targets.saved import read_json


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """Each model's reference by its name. `lost` is the named baseline that is not there."""

    by_model: Mapping[str, Reference]
    lost: str = ""

    @classmethod
    def to_itself(cls, analyses: Mapping[str, Analysis]) -> References:
        """Each model compared with what it is now, as where that is being accepted."""
        return cls(by_model={name: Reference(analysis=analysis) for name, analysis in analyses.items()})

    def of(self, model: CheckedModel) -> Reference:
        return self.by_model[model.name]


def baseline_path(plan: Plan) -> Path:
    """Where the baseline lies: one that the config names, or nobody, beside the config."""
    setting = plan.settings["baseline"]
    beside_config = setting.where != COMMAND_LINE and not setting.where.startswith(ENVIRONMENT)
    return Path(plan.config.file).parent / setting.value if beside_config else Path(setting.value)


def read_baseline(plan: Plan) -> Baseline | None:
    """The baseline file, or None where there is none; raises `SourceError` for one that cannot be read."""
    path = baseline_path(plan)
    try:
        return Baseline.read(read_json(str(path)), file=str(path)) if path.exists() else None
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror or error}", hint="name the baseline by a shorter path") from error


def find_references(plan: Plan) -> References:
    """What every model of the plan is compared with."""
    if plan.settings["base_ref"].value:
        return References(by_model=_at_revision(plan.models, plan.settings["base_ref"].value))
    baseline = read_baseline(plan)
    if baseline is None:
        missing = Reference(missing=f"there is no {baseline_path(plan)}: convcost check --update-baseline writes it")
        named = plan.settings["baseline"].where != DEFAULT
        lost = str(baseline_path(plan)) if named else ""
        return References(by_model=dict.fromkeys((model.name for model in plan.models), missing), lost=lost)
    found = {}
    for model in plan.models:
        analysis = baseline.analysis(model.name)
        found[model.name] = Reference(
            analysis=analysis,
            missing=f"{model.name} is not in {baseline.file}: convcost check --update-baseline adds it",
        )
    return References(by_model=found)


def verdicts_without_a_model(plan: Plan, references: References) -> tuple[Verdict, ...]:
    """A named baseline that is missing, where no budget says so, and patterns that fit no model's name."""
    names = {*(model.name for model in plan.models), *(entry.name for entry in plan.config.models)}
    found = [
        _untold(rule, NO_SUCH_MODEL, f"no model is named '{rule.terms.model}'")
        for rule in plan.rules
        if rule.terms.level is not Level.OFF and not any(rule.terms.holds_for(name) for name in names)
    ]
    if references.lost and not any(_compares(rule, plan) for rule in plan.rules):
        level = Level.WARN if is_true(plan.settings["warn_only"]) else Level.ERROR
        rule = Increase(metric=metric_named("macs"), limit=None, terms=Terms(level=level))
        found.append(_untold(rule, NO_BASELINE, f"the baseline {references.lost} is missing"))
    return tuple(found)


def _untold(rule: Rule, code: Code, reason: str) -> Verdict:
    verdict = Verdict(budget=rule, status=Status.CANNOT_TELL, value=None, limit=None, code=code, reason=reason)
    return at_level(verdict)


def _compares(rule: Rule, plan: Plan) -> bool:
    """Whether the budget has a verdict on growth of a model that is checked, which says what is missing itself."""
    is_held = isinstance(rule, Increase) and rule.terms.level is not Level.OFF
    return is_held and any(rule.terms.holds_for(model.name) for model in plan.models)


def _at_revision(models: Sequence[CheckedModel], name: str) -> dict[str, Reference]:
    from convcost.cli.output import stdout_for_reports
    from convcost.targets import analysis_of

    Revision.of(name)  # a revision that git does not know is an error; a model that it does not have is new
    found = {}
    with stdout_for_reports():
        for model in models:
            request = replace(model.request, target=f"git:{name}:{model.request.target}")
            try:
                found[model.name] = Reference(analysis=analysis_of(request), revision=name)
            except SourceError as error:
                found[model.name] = Reference(missing=error.message)
    return found
