"""`convcost compare`: convolutions beside what they could be instead."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Annotated, cast

import typer

from convcost.cli.options import Measuring, Reading, Strictness, Writing
from convcost.cli.values import at_least_one, one_of
from convcost.dataclasses import dataclass
from convcost.errors import UsageError
from convcost.sources.request import Request, is_saved

if TYPE_CHECKING:
    from convcost.alternatives import Comparison, CountedMap
    from convcost.reports import Report
    from convcost.reports.comparison import ComparisonReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Choosing:
    """Which convolutions of the target to compare."""

    layer: Annotated[
        list[str],
        typer.Option("--layer", metavar="GLOB", help="Only layers of that name, such as 'features.*'; repeatable."),
    ] = field(default_factory=list)
    kind: Annotated[
        list[str],
        typer.Option("--kind", metavar="KIND", help="Only convolutions of that kind, such as pointwise; repeatable."),
    ] = field(default_factory=list)
    min_kernel: Annotated[
        str | None,
        typer.Option(
            "--min-kernel",
            metavar="N",
            help="Only kernels with a side of N; without --layer or --kind, 2 for models and 1 for specs.",
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparing:
    """With what to compare them, and what to say of it."""

    alternatives: Annotated[
        str | None,
        typer.Option(metavar="A,B[K=V]", help="Which alternatives, such as depthwise_separable,grouped[groups=4]."),
    ] = None
    df: Annotated[
        str, typer.Option("--df", metavar="output|input", help="The feature map D_F that convolutions are counted at.")
    ] = "output"
    pareto: Annotated[
        bool, typer.Option("--pareto", help="Mark what nothing beats in MACs, parameters and activations together.")
    ] = False
    devices: Annotated[
        str | None, typer.Option("--devices", metavar="D", help="What one of D devices would hold, do and move.")
    ] = None
    grid: Annotated[
        list[str],
        typer.Option(
            "--grid",
            metavar="NAME=1,2|A..B:STEP",
            help="Instead of a model, every layer of a design space; more axes follow: kernel=3,5 input=56.",
        ),
    ] = field(default_factory=list)


def compare(
    *,
    target: Annotated[
        list[str] | None, typer.Argument(metavar="TARGET", help="A model file or import target.", show_default=False)
    ] = None,
    spec: Annotated[
        str | None, typer.Option("--spec", metavar="FILE", help="A layer spec in YAML, instead of TARGET.")
    ] = None,
    choosing: Choosing,
    comparing: Comparing,
    measuring: Measuring,
    reading: Reading,
    writing: Writing,
    strictness: Strictness,
) -> int:
    """Each convolution beside what it could be instead.

    For a whole model, its totals under each alternative as well. These are costs; what an alternative does to
    accuracy is never guessed.
    """
    if comparing.grid:
        from convcost.cli.grid import deliver_grid

        _check_without_model(spec, choosing, comparing, measuring, reading)
        return deliver_grid([*comparing.grid, *(target or [])], comparing, writing)
    from convcost.reports.comparison import ComparisonReport

    comparison = _comparison(reading.request(_the_target(target or [], spec)), choosing, comparing)
    report = ComparisonReport(comparison=comparison, every_row=writing.verbose, pareto=comparing.pareto)
    code = _deliver(report, measuring, writing, strict=strictness.strict)
    if strictness.strict:
        from convcost.cli.models import refuse_unknown

        return code or refuse_unknown([comparison])
    return code


def _comparison(request: Request, choosing: Choosing, comparing: Comparing) -> Comparison:
    """Raises `ConvcostError` for options that cannot be meant, and for what cannot be read."""
    from convcost import api
    from convcost.alternatives import COUNTED_MAPS
    from convcost.cli.output import stdout_for_reports

    df = one_of(comparing.df, COUNTED_MAPS, option="--df")
    min_kernel = at_least_one(choosing.min_kernel, option="--min-kernel")
    devices = at_least_one(comparing.devices, option="--devices")
    with stdout_for_reports():
        return api.compare(
            request.target,
            inputs=request.inputs,
            dims=request.dims,
            alternatives=comparing.alternatives,
            layers=choosing.layer,
            kinds=choosing.kind,
            min_kernel=min_kernel,
            df=cast("CountedMap", df),
            devices=devices,
            trust_pickle=request.trust_pickle,
        )


def _deliver(costs: ComparisonReport, measuring: Measuring, writing: Writing, *, strict: bool) -> int:
    """The report with everything that was asked for beside the costs."""
    from convcost.cli.output import deliver

    if measuring.latency:
        from convcost.cli.measured import deliver_measured_comparison

        return deliver_measured_comparison(costs, measuring, writing, strict=strict)
    report: Report = costs
    if (device := measuring.limits()) is not None:
        from convcost.reports.roofline_comparison import RooflineComparisonReport

        report = RooflineComparisonReport(inner=costs, comparison=costs.comparison, device=device)
    deliver(report, writing, notes=costs.comparison.notes)
    return 0


def _check_without_model(
    spec: str | None, choosing: Choosing, comparing: Comparing, measuring: Measuring, reading: Reading
) -> None:
    """Raises `UsageError` for options that are about a model's layers, which a grid does not have."""
    given = {
        "--spec": spec is not None,
        "--layer, --kind and --min-kernel": choosing != Choosing(),
        "--devices": comparing.devices is not None,
        "--latency and --device-file": measuring != Measuring(),
        "--input and --dim": bool(reading.input or reading.dim),
    }
    for options, is_given in given.items():
        if is_given:
            raise UsageError(f"--grid does not go with {options}", hint="a grid describes its layers itself")


def _the_target(targets: list[str], spec: str | None) -> str:
    if any(map(is_saved, targets)):
        raise UsageError(
            "compare sets layers beside their alternatives; two runs are compared by diff",
            hint="write convcost diff OLD.json NEW.json",
        )
    given = [*targets, *([spec] if spec is not None else [])]
    if len(given) > 1:
        raise UsageError(f"compare takes one model, not {len(given)}", hint="run it once for each")
    if not given:
        raise UsageError("compare needs a model or a layer spec", hint="convcost compare --spec layer.yaml")
    return given[0]
