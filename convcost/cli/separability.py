"""`convcost separability`: how much of trained kernels a cheaper form would keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from convcost.cli import failure
from convcost.cli.options import Reading, Writing
from convcost.cli.values import at_least_one
from convcost.errors import SourceError, UsageError
from convcost.sources.request import is_spec

if TYPE_CHECKING:
    from convcost.weights import Separability


def separability(
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="A model with its weights, or a kernel file (kernel.yaml).")
    ],
    *,
    layer: Annotated[
        list[str] | None,
        typer.Option("--layer", metavar="GLOB", help="Only layers of that name, such as 'features.*'; repeatable."),
    ] = None,
    rank: Annotated[
        list[str] | None,
        typer.Option("--rank", metavar="R", help="Show what each form keeps at that rank as well; repeatable."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="A kernel whose values have no spectrum, or are not known, is an error.")
    ] = False,
    reading: Reading,
    writing: Writing,
) -> int:
    """How much of trained kernels a cheaper form would keep.

    BatchNorm is folded in first, and spectra are computed in float64, one kernel at a time. Beside each share
    of energy stands what a random kernel of the same shape keeps; only the excess over it was learned.
    """
    from convcost.cli.output import check_destinations, deliver, stdout_for_reports
    from convcost.reports.separability import SeparabilityReport

    ranks = tuple(found for text in rank or () if (found := at_least_one(text, option="--rank")) is not None)
    check_destinations(writing)
    with stdout_for_reports("reading weights"):
        result = _separability(target, layer or [], ranks, reading)
    report = SeparabilityReport(separability=result, ranks=bool(ranks), every_row=writing.verbose)
    deliver(report, writing, notes=result.notes)
    return _refuse_unjudged(result) if strict else 0


def _separability(target: str, layers: list[str], ranks: tuple[int, ...], reading: Reading) -> Separability:
    from convcost import weights
    from convcost.targets.kernels import kernels_of

    request = reading.request(target)
    if is_spec(target):
        if layers or ranks or request.inputs or request.dims:
            raise UsageError(
                "a kernel file has no layers, ranks or inputs to choose",
                hint="leave out --layer, --rank, --input and --dim",
            )
        return weights.separability_of_file(target)
    graph, kernels = kernels_of(request)
    return weights.separability(graph, kernels, layers=layers, ranks=ranks)


def _refuse_unjudged(result: Separability) -> int:
    """After the report is out: exit code 2, and an error that names the first kernel of which nothing is told."""
    found = [(each.name, each.findings[-1].message) for each in result.layers if not each.families]
    found += [(each.name, each.findings[-1].message) for each in result.kernels if each.rank is None]
    if not found:
        return 0
    name, first = found[0]
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    failure.say(
        SourceError(f"{result.target}: {name}: {first}{more}", hint="without --strict the others are told all the same")
    )
    return failure.UNUSABLE
