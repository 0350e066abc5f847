"""`convcost analyze`: what one or more models cost, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from convcost.cli.options import Measuring, Reading, Strictness, Writing
from convcost.cli.values import at_least_one
from convcost.cli.viewing import Viewing
from convcost.dataclasses import dataclass
from convcost.errors import UsageError
from convcost.reports import Report

if TYPE_CHECKING:
    from convcost.analysis import Analysis
    from convcost.latency import Device
    from convcost.reports.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """How to get through many targets."""

    jobs: Annotated[
        str | None,
        typer.Option("-j", "--jobs", metavar="N", help="How many files to read at a time (default: one a core)."),
    ] = None
    resume: Annotated[
        str | None,
        typer.Option(
            "--resume",
            metavar="FILE",
            help="Note there what is done, and do not read again what is noted; for a run that was cut off.",
        ),
    ] = None


def analyze(  # noqa: PLR0913 - the options of the command
    *,
    target: Annotated[
        list[str], typer.Argument(metavar="TARGET", help="A model file, a folder of them, or an import target.")
    ],
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
    cross_check: Annotated[
        str | None,
        typer.Option(
            "--cross-check",
            metavar="fvcore|torch",
            help="Ask another counter too, and say where it differs and why; for PyTorch models.",
        ),
    ] = None,
    convention: Annotated[
        str | None,
        typer.Option(
            "--convention",
            metavar="fvcore|thop|ptflops|torchinfo",
            help="Say our total as another counter would print it, with the terms that make the difference.",
        ),
    ] = None,
    batching: Batching,
    measuring: Measuring,
    reading: Reading,
    viewing: Viewing,
    writing: Writing,
    strictness: Strictness,
) -> int:
    """Cost of one or more models, layer by layer.

    Layers without MACs and parameters are added up in one row; -v shows them all.
    """
    from convcost.cli.models import analyses_of, refuse_unknown
    from convcost.cli.output import deliver

    reports = {"--sweep": sweep, "--cross-check": cross_check, "--convention": convention}
    _check_alone(reports, batching, measuring, viewing)
    view = viewing.view(every_row=writing.verbose)
    for option, value in reports.items():
        if value is not None:
            report, notes, counted = _REPORTS[option](target, value, reading, view, backward)
            deliver(report, writing, notes=notes)
            return refuse_unknown(counted) if strictness.strict else 0
    if measuring.latency:
        from convcost.cli.measured import deliver_timed_analyses

        code, timed = deliver_timed_analyses(
            target, reading, view, measuring, writing, backward=backward, strict=strictness.strict
        )
        return code or (refuse_unknown(timed) if strictness.strict else 0)
    jobs = at_least_one(batching.jobs, option="--jobs")
    report_of = partial(_report, view=view, device=measuring.limits())
    if len(target) > 1 or batching.resume is not None or _is_folder(target[0]):
        from convcost.cli.many import Several, analyze_each

        several = Several(jobs=jobs, resume=batching.resume, backward=backward, strict=strictness.strict)
        return analyze_each(target, several, report_of, reading, writing)
    (analysis,) = analyses_of(target, reading, backward=backward)
    deliver(report_of(analysis), writing, notes=analysis.notes)
    return refuse_unknown([analysis]) if strictness.strict else 0


_Made: TypeAlias = "tuple[Report, list[str], Sequence[Analysis]]"
"""A report, its notes, and the analyses that may hold what could not be counted."""


def _sweep(targets: list[str], axis: str, reading: Reading, view: View, backward: bool) -> _Made:
    from convcost.cli.models import all_notes, sweeps_of
    from convcost.reports.sweep import SweepReport

    sweeps = sweeps_of(targets, axis, reading, backward=backward)
    return SweepReport(sweeps=sweeps), all_notes(sweeps), [each.least_counted for each in sweeps]


def _cross_check(targets: list[str], peer: str, reading: Reading, view: View, backward: bool) -> _Made:
    from convcost.cli.models import all_notes, cross_checks_of
    from convcost.reports.cross_check import CrossCheckReport

    checks = cross_checks_of(targets, peer, reading, backward=backward)
    analyses = [each.analysis for each in checks]
    return CrossCheckReport(checks=checks, view=view), all_notes(analyses), analyses


def _convention(targets: list[str], name: str, reading: Reading, view: View, backward: bool) -> _Made:
    from convcost.cli.models import all_notes, expressions_of
    from convcost.reports.convention import ConventionReport

    expressions = expressions_of(targets, name, reading, backward=backward)
    analyses = [each.analysis for each in expressions]
    return ConventionReport(expressions=expressions, view=view), all_notes(analyses), analyses


_REPORTS: Mapping[str, Callable[[list[str], str, Reading, View, bool], _Made]] = {
    "--sweep": _sweep,
    "--cross-check": _cross_check,
    "--convention": _convention,
}
"""Those that an option of their own asks for, instead of layers and totals."""


def _is_folder(target: str) -> bool:
    from convcost.targets.folders import is_folder

    return is_folder(target)


def _report(analysis: Analysis, *, view: View, device: Device | None) -> Report:
    from convcost.reports.analysis import AnalysisReport

    costs = AnalysisReport(analyses=(analysis,), view=view)
    if device is None:
        return costs
    from convcost.reports.roofline import RooflineReport

    return RooflineReport(inner=costs, analyses=(analysis,), view=view, device=device, times=(None,))


def _check_alone(reports: Mapping[str, str | None], batching: Batching, measuring: Measuring, viewing: Viewing) -> None:
    """Each of these is a report of its own kind; raises `UsageError` for two of them and for what they do not use."""
    asked = [option for option, value in reports.items() if value is not None]
    if asked and measuring != Measuring():
        unused = "--latency" if measuring.latency else "--device-file"
        raise UsageError(f"{asked[0]} counts, and measures nothing", hint=f"leave out {unused}")
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(asked[:2])} are two reports", hint="ask for one of them")
    if batching != Batching() and (asked or measuring.latency):
        hint = "they are for counting many files"
        raise UsageError(f"{asked[0] if asked else '--latency'} goes with neither --jobs nor --resume", hint=hint)
    if "--sweep" in asked and viewing != Viewing():
        raise UsageError("--sweep shows totals, not layers", hint="leave out --by, --depth, --sort, --top and --unit")
