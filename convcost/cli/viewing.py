"""The options that say which rows of an analysis to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

from convcost.cli.values import at_least_one, one_of
from convcost.dataclasses import dataclass
from convcost.errors import UsageError

if TYPE_CHECKING:
    from convcost.analysis.group import Grouping
    from convcost.reports.view import View, WorkUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewing:
    """Which rows of an analysis to show, and in which order."""

    by: Annotated[
        str | None,
        typer.Option("--by", metavar="layer|kind|module", help="One row per layer (default), kind of op, or module."),
    ] = None
    depth: Annotated[
        str | None,
        typer.Option(
            "--depth", metavar="N", help="Modules by the first N parts of their path (default 1; implies --by module)."
        ),
    ] = None
    sort: Annotated[
        str | None,
        typer.Option("--sort", metavar="METRIC", help="execution (default), name, or a metric, largest first."),
    ] = None
    top: Annotated[
        str | None,
        typer.Option("--top", metavar="N", help="Show N rows: the costliest, or the first under --sort."),
    ] = None
    unit: Annotated[
        str, typer.Option("--unit", metavar="macs|flops", help="What the first column and the shares count.")
    ] = "macs"

    def view(self, *, every_row: bool) -> View:
        """The view these options ask for; raises `UsageError` where they contradict each other."""
        from convcost.reports.view import View

        by = self.by or ("module" if self.depth is not None else "layer")
        if self.depth is not None and by != "module":
            raise UsageError(f"--depth does not go with --by {by}", hint="--depth is for --by module")
        return View(
            by=cast("Grouping", one_of(by, ("layer", "kind", "module"), option="--by")),
            depth=at_least_one(self.depth, option="--depth") or 1,
            sort=self.sort,
            top=at_least_one(self.top, option="--top"),
            unit=cast("WorkUnit", one_of(self.unit, ("macs", "flops"), option="--unit")),
            every_row=every_row,
        )
