"""What was to be measured and was not: an error after the report is out."""

from __future__ import annotations

from collections.abc import Iterable

from convcost.cli import failure
from convcost.errors import SourceError
from convcost.latency import NotMeasurable


def refuse_unmeasured(refusals: Iterable[tuple[str, NotMeasurable]], *, verbose: bool) -> int:
    """Exit code 2, and an error that names the first of them and says how many more there are; 0 without any."""
    found = list(refusals)
    if not found:
        return 0
    name, first = found[0]
    if verbose:
        failure.say_detail(first.detail)
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    failure.say(SourceError(f"{name}: not measured: {first.reason}{more}", hint=_hint(first)))
    return failure.UNUSABLE


def _hint(refusal: NotMeasurable) -> str:
    if refusal.needed_bytes:
        return "--max-bytes sets how much memory it may take"
    if refusal.detail.strip() not in refusal.reason:
        return "-v shows all that the runtime said"
    return "convcost measure --help lists what else can be run"
