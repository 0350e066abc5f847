"""`convcost diff`: what changed between two models."""

from __future__ import annotations

from typing import Annotated

import typer

from convcost.cli.options import Reading, Strictness, Writing
from convcost.errors import UsageError


def diff(
    *,
    old: Annotated[str, typer.Argument(metavar="OLD", help="A model, a saved report, or git:REF:TARGET.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The same, after the change.")],
    increase: Annotated[
        list[str] | None,
        typer.Option("--max-increase", metavar="METRIC=5%", help="Exit code 1 if it grew by more; repeatable."),
    ] = None,
    reading: Reading,
    writing: Writing,
    strictness: Strictness,
) -> int:
    """What changed between two models, layer by layer.

    Layers are matched by name, then by kind, shape and position. --input and --dim are those of every model
    among the two; a saved report keeps its own.
    """
    from convcost.budgets import LatencyIncrease, Reference, check_analysis, difference, exit_code
    from convcost.budgets.option_text import parse_increase
    from convcost.cli.models import all_notes, analyses_at, refuse_unknown
    from convcost.cli.output import deliver
    from convcost.reports.difference import DifferenceReport
    from convcost.sources.request import Request, is_saved

    rules = [parse_increase(text) for text in increase or ()]
    if any(isinstance(rule, LatencyIncrease) for rule in rules):
        hint = "convcost measure OLD NEW compares them; convcost check --base-ref REF holds them to a limit"
        raise UsageError("diff compares counts, and latency is measured", hint=hint)
    if is_saved(old) and is_saved(new) and (reading.input or reading.dim):
        raise UsageError("saved reports keep the inputs they were made with", hint="leave out --input and --dim")
    requests = [Request(target=target) if is_saved(target) else reading.request(target) for target in (old, new)]
    before, after = analyses_at(requests)
    report = DifferenceReport(difference=difference(before, after), every_row=writing.verbose)
    deliver(report, writing, notes=all_notes([before, after]))
    verdicts = check_analysis(after, rules, reference=Reference(analysis=before))
    return (refuse_unknown([before, after]) if strictness.strict else 0) or exit_code([verdicts])
