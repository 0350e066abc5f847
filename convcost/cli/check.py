"""`convcost check`: models held to budgets."""

from __future__ import annotations

from typing import Annotated

import typer

from convcost.cli.options import Reading, Strictness, Writing
from convcost.errors import UsageError


def check(
    *,
    target: Annotated[list[str] | None, typer.Argument(metavar="TARGET", help="A model file or import target.")] = None,
    maximum: Annotated[
        list[str] | None,
        typer.Option(
            "--max", metavar="METRIC=VALUE", help="A limit, such as macs=600M or weight_bytes=20MB; repeatable."
        ),
    ] = None,
    reading: Reading,
    writing: Writing,
    strictness: Strictness,
) -> int:
    """Holds models to budgets; the CI gate.

    Exit code 0: within every limit. 1: over one. 3: cannot tell, because something under the limit could not
    be counted. 2: the check could not be made.
    """
    from convcost.budgets import check_analysis, exit_code, parse_budget
    from convcost.cli.models import all_notes, analyses_of, refuse_unknown
    from convcost.cli.output import deliver
    from convcost.reports.check import CheckReport

    budgets = [parse_budget(text) for text in maximum or ()]
    if not target:
        raise UsageError("check needs a model", hint="convcost check model.onnx --max macs=600M")
    if not budgets:
        raise UsageError(
            "check needs a limit to hold the model to", hint="add --max macs=600M, or params, weight_bytes …"
        )
    results = tuple(check_analysis(analysis, budgets) for analysis in analyses_of(target, reading))
    analyses = [result.analysis for result in results]
    deliver(CheckReport(results=results), writing, notes=all_notes(analyses))
    return (refuse_unknown(analyses) if strictness.strict else 0) or exit_code(results)
