"""`convcost compare`: convolutions beside what they could be instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

from convcost.cli.options import Reading, Writing
from convcost.cli.values import one_of
from convcost.errors import UsageError

if TYPE_CHECKING:
    from convcost.alternatives import CountedMap


def compare(
    *,
    target: Annotated[
        list[str] | None, typer.Argument(metavar="TARGET", help="A model file or import target.", show_default=False)
    ] = None,
    spec: Annotated[
        str | None, typer.Option("--spec", metavar="FILE", help="A layer spec in YAML, instead of TARGET.")
    ] = None,
    layer: Annotated[
        list[str] | None,
        typer.Option("--layer", metavar="GLOB", help="Only layers of that name, such as 'features.*'; repeatable."),
    ] = None,
    alternatives: Annotated[
        str | None,
        typer.Option(metavar="A,B[K=V]", help="Which alternatives, such as depthwise_separable,grouped[groups=4]."),
    ] = None,
    df: Annotated[
        str, typer.Option("--df", metavar="output|input", help="The feature map D_F that convolutions are counted at.")
    ] = "output",
    reading: Reading,
    writing: Writing,
) -> int:
    """Each convolution beside what it could be instead.

    For a whole model, its totals under each alternative as well. These are costs; what an alternative does to
    accuracy is never guessed.
    """
    from convcost import api
    from convcost.cli.output import deliver, stdout_for_reports
    from convcost.reports.comparison import ComparisonReport

    request = reading.request(_the_target(target or [], spec))
    one_of(df, ("output", "input"), option="--df")
    with stdout_for_reports():
        comparison = api.compare(
            request.target,
            inputs=request.inputs,
            dims=request.dims,
            alternatives=alternatives,
            layers=layer or (),
            df=cast("CountedMap", df),
        )
    deliver(ComparisonReport(comparison=comparison, every_row=writing.verbose), writing, notes=comparison.notes)
    return 0


def _the_target(targets: list[str], spec: str | None) -> str:
    if any(each.endswith(".json") for each in targets):
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
