"""`convcost analyze`: what one or more models cost, layer by layer."""

from __future__ import annotations

from typing import Annotated

import typer

from convcost.cli.options import Reading, Strictness, Viewing, Writing


def analyze(
    *,
    target: Annotated[list[str], typer.Argument(metavar="TARGET", help="A model file or import target.")],
    backward: Annotated[
        bool, typer.Option("--backward", help="Count the gradients of training too, beside the forward pass.")
    ] = False,
    reading: Reading,
    viewing: Viewing,
    writing: Writing,
    strictness: Strictness,
) -> int:
    """Cost of one or more models, layer by layer.

    Layers without MACs and parameters are added up in one row; -v shows them all.
    """
    from convcost.cli.models import all_notes, analyses_of, refuse_unknown
    from convcost.cli.output import deliver
    from convcost.reports.analysis import AnalysisReport

    view = viewing.view(every_row=writing.verbose)
    analyses = analyses_of(target, reading, backward=backward)
    deliver(AnalysisReport(analyses=analyses, view=view), writing, notes=all_notes(analyses))
    return refuse_unknown(analyses) if strictness.strict else 0
