"""Targets to analyses, for the commands that take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from convcost.analysis import Analysis, UnknownOp
from convcost.cli import failure
from convcost.cli.options import Reading
from convcost.cli.output import stdout_for_reports
from convcost.cli.values import one_of
from convcost.errors import SourceError
from convcost.sources.request import Request

if TYPE_CHECKING:
    from convcost.analysis.cross_check import CrossCheck
    from convcost.analysis.sweep import Sweep
    from convcost.conventions import Expression


def analyses_of(targets: Sequence[str], reading: Reading, *, backward: bool = False) -> tuple[Analysis, ...]:
    """Every target analyzed, in the order given; the first that cannot be read ends it."""
    return analyses_at([reading.request(target) for target in targets], backward=backward)


def analyses_at(requests: Sequence[Request], *, backward: bool = False) -> tuple[Analysis, ...]:
    """The same for targets that each have inputs and dimensions of their own; many are read on every core."""
    from convcost import targets

    with stdout_for_reports():
        return targets.analyses_of(requests, backward=backward)


def sweeps_of(targets: Sequence[str], text: str, reading: Reading, *, backward: bool = False) -> tuple[Sweep, ...]:
    """Every target at each value of `--sweep`."""
    from convcost.targets.sweep import Axis, sweep

    axis = Axis.of(text)
    requests = [reading.request(target) for target in targets]
    with stdout_for_reports():
        return tuple(sweep(request, axis, backward=backward) for request in requests)


def cross_checks_of(
    targets: Sequence[str], peer: str, reading: Reading, *, backward: bool = False
) -> tuple[CrossCheck, ...]:
    """Every target counted by convcost and by the peer of `--cross-check`."""
    from convcost.analysis.cross_check import PEERS
    from convcost.targets.cross_check import cross_checked

    one_of(peer, PEERS, option="--cross-check")
    requests = [reading.request(target) for target in targets]
    with stdout_for_reports():
        return tuple(cross_checked(request, peer, backward=backward) for request in requests)


def expressions_of(
    targets: Sequence[str], name: str, reading: Reading, *, backward: bool = False
) -> tuple[Expression, ...]:
    """Every target in the convention of `--convention`."""
    from convcost.conventions import CONVENTIONS
    from convcost.targets.convention import expressed

    convention = CONVENTIONS[one_of(name, CONVENTIONS, option="--convention")]
    requests = [reading.request(target) for target in targets]
    with stdout_for_reports():
        return tuple(expressed(request, convention, backward=backward) for request in requests)


def all_notes(analyses: Sequence[Analysis | Sweep]) -> list[str]:
    """Every model's notes, with its name in front where there are several."""
    several = len(analyses) > 1
    return [f"{each.target}: {note}" if several else note for each in analyses for note in each.notes]


class Counted(Protocol):
    """The result of a target whose ops were counted, perhaps not all of them."""

    @property
    def target(self) -> str: ...

    @property
    def unknown(self) -> tuple[UnknownOp, ...]: ...


def refuse_unknown(results: Sequence[Counted]) -> int:
    """`--strict`, after the report is out: exit code 2 and an error that names what could not be counted."""
    unknown = [(each.target, op) for each in results for op in each.unknown]
    if not unknown:
        return 0
    target, first = unknown[0]
    more = f", and {len(unknown) - 1} more" if len(unknown) > 1 else ""
    failure.say(
        SourceError(
            f"{target}: cannot count {first.operator} ({first.reason}){more}",
            hint="without --strict the totals are given as lower bounds",
        )
    )
    return failure.UNUSABLE
