"""`convcost check`: models held to budgets."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from convcost.cli.gating import Accepting, CheckWriting, Configuring, Gating
from convcost.cli.options import Reading, Running, Strictness
from convcost.errors import UsageError

if TYPE_CHECKING:
    from convcost.cli.plan import Plan


def check(
    *,
    target: Annotated[
        list[str] | None,
        typer.Argument(metavar="TARGET", help="A model; without one, those of the config.", show_default=False),
    ] = None,
    gating: Gating,
    accepting: Accepting,
    configuring: Configuring,
    running: Running,
    reading: Reading,
    writing: CheckWriting,
    strictness: Strictness,
) -> int:
    """Holds models to budgets; the CI gate.

    Exit code 0: within every limit. 1: over one. 3: cannot tell, because something under the limit could not
    be counted, a pattern fits nothing, or a baseline is missing. 2: the check could not be made.

    A budget on latency (--max latency=12ms, --max-increase latency=5%) measures the model here, and warns unless the
    config says 'level: error'. With --base-ref both revisions are measured in turn; a stored latency counts only on
    the machine it is from.
    """
    from convcost.budgets import check_analysis, exit_code
    from convcost.cli import failure
    from convcost.cli.accept import accept, accepting_files, refuse_what_cannot_be_accepted
    from convcost.cli.ci import append_summary, places_of
    from convcost.cli.models import analyses_at, refuse_unknown
    from convcost.cli.output import check_destinations, deliver
    from convcost.cli.plan import plan_check
    from convcost.cli.references import References, find_references, verdicts_without_a_model
    from convcost.cli.timing import measure_models
    from convcost.reports.check import CheckReport

    given = {**running.given(), "headroom": accepting.headroom, "format": writing.given()}
    plan = plan_check(target or [], reading, gating, configuring, given)
    writing = writing.settled(plan.settings["format"])
    _refuse_idle(plan, accepting)
    refuse_what_cannot_be_accepted(plan, accepting)
    check_destinations(writing, beside=accepting_files(plan, accepting))
    analyses = analyses_at([model.request for model in plan.models])
    now = {model.name: analysis for model, analysis in zip(plan.models, analyses, strict=True)}
    references = References.to_itself(now) if accepting.update_baseline else find_references(plan)
    timings = measure_models(plan, running.given(), accept=accepting.update_baseline)
    results = tuple(
        check_analysis(analysis, plan.rules, name=model.name, reference=references.of(model), timing=timings.of(model))
        for model, analysis in zip(plan.models, analyses, strict=True)
    )
    general = verdicts_without_a_model(plan, references)
    report = CheckReport(results=results, general=general, places=places_of(plan))
    deliver(report, writing, notes=report.notes())
    append_summary(report, os.environ)
    if timings.interrupted:
        return failure.INTERRUPTED
    accept(accepting, plan, now, timings, results)
    return (refuse_unknown(analyses) if strictness.strict else 0) or exit_code((*results, *general))


def _refuse_idle(plan: Plan, accepting: Accepting) -> None:
    """Raises `UsageError` for a check that has nothing to check."""
    if not plan.models:
        raise UsageError("check needs a model", hint="convcost check model.onnx --max macs=600M, or convcost init")
    if not plan.rules and not accepting.update_baseline:
        raise UsageError(
            "check needs a limit to hold the model to", hint="add --max macs=600M, or write a config: convcost init"
        )
