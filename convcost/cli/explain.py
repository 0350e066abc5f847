"""`convcost explain`: what a name in a report means."""

from __future__ import annotations

from typing import Annotated

import typer

from convcost.cli.options import Writing


def explain(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="An op, a metric, an alternative, a finding (CC101), or all.")
    ],
    writing: Writing,
) -> int:
    """The formula and source behind a name in a report."""
    from convcost.cli.output import deliver
    from convcost.explain import explain as explanations_of
    from convcost.reports.explanation import ExplanationReport

    deliver(ExplanationReport(explanations=explanations_of(name)), writing)
    return 0
