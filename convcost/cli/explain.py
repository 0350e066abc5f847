"""`convcost explain`: what a name in a report means."""

from __future__ import annotations

from typing import Annotated

import typer

from convcost.cli.options import Writing


def explain(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="Any word of a report: an op, metric, alternative, column, field of JSON, finding (CC101); or all.",
        ),
    ],
    writing: Writing,
) -> int:
    """What a name in a report means, and the formula behind it."""
    from convcost.cli.output import deliver
    from convcost.explain import explain as explanations_of
    from convcost.reports.explanation import ExplanationReport

    deliver(ExplanationReport(explanations=explanations_of(name)), writing)
    return 0
