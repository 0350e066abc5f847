"""`convcost analyze`: what one or more models cost, layer by layer."""

from __future__ import annotations

from typing import Annotated

import typer

from convcost.cli.options import Measuring, Reading, Strictness, Viewing, Writing
from convcost.errors import UsageError


def analyze(
    *,
    target: Annotated[list[str], typer.Argument(metavar="TARGET", help="A model file or import target.")],
    backward: Annotated[
        bool, typer.Option("--backward", help="Count the gradients of training too, beside the forward pass.")
    ] = False,
    sweep: Annotated[
        str | None,
        typer.Option(
            "--sweep",
            metavar="NAME=1,2,4|A..B:STEP",
            help="Totals at each batch, resolution or size of a symbolic dimension, instead of layers.",
        ),
    ] = None,
    measuring: Measuring,
    reading: Reading,
    viewing: Viewing,
    writing: Writing,
    strictness: Strictness,
) -> int:
    """Cost of one or more models, layer by layer.

    Layers without MACs and parameters are added up in one row; -v shows them all.
    """
    from convcost.cli.models import all_notes, analyses_of, refuse_unknown, sweeps_of
    from convcost.cli.output import deliver
    from convcost.reports.analysis import AnalysisReport
    from convcost.reports.sweep import SweepReport

    if sweep is not None:
        if measuring.latency:
            raise UsageError("--sweep counts, and measures nothing", hint="leave out --latency")
        if viewing != Viewing():
            raise UsageError(
                "--sweep shows totals, not layers", hint="leave out --by, --depth, --sort, --top and --unit"
            )
        sweeps = sweeps_of(target, sweep, reading, backward=backward)
        deliver(SweepReport(sweeps=sweeps), writing, notes=all_notes(sweeps))
        return refuse_unknown([each.least_counted for each in sweeps]) if strictness.strict else 0
    view = viewing.view(every_row=writing.verbose)
    if measuring.latency:
        from convcost.cli.measured import deliver_timed_analyses

        code, timed = deliver_timed_analyses(target, reading, view, measuring, writing, backward=backward)
        return code or (refuse_unknown(timed) if strictness.strict else 0)
    analyses = analyses_of(target, reading, backward=backward)
    deliver(AnalysisReport(analyses=analyses, view=view), writing, notes=all_notes(analyses))
    return refuse_unknown(analyses) if strictness.strict else 0
