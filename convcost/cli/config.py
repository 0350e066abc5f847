"""`convcost config show`: which settings hold here, and which place each is from."""

from __future__ import annotations

from typing import Annotated

import typer

from convcost.cli.gating import Configuring, Gating
from convcost.cli.options import Reading, Writing
from convcost.cli.values import one_of


def config(
    *,
    action: Annotated[str, typer.Argument(metavar="show", help="What to do: show.")],
    gating: Gating,
    configuring: Configuring,
    writing: Writing,
) -> int:
    """Each value of the config and where it came from.

    The command line holds over CONVCOST_ variables of the environment, those over the file, and the file over
    the defaults. The file is convcost.yaml or [tool.convcost] in pyproject.toml, of the nearest folder up to the
    repository's root.
    """
    from convcost.cli.output import deliver
    from convcost.cli.plan import plan_check
    from convcost.reports.settings import SettingsReport

    one_of(action, ("show",), option="what config does")
    plan = plan_check([], Reading(), gating, configuring)
    deliver(SettingsReport(config=plan.config, rules=plan.rules, settings=plan.settings), writing)
    return 0
