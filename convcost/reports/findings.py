"""Verdicts as findings: one message each, at one place, for the formats that CI systems read."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from pathlib import PurePath

from convcost.budgets import Cause, Level, Status, Verdict, Verdicts
from convcost.budgets.codes import Code
from convcost.dataclasses import dataclass
from convcost.reports.check import CheckReport, Place
from convcost.reports.escape import printable
from convcost.reports.verdict_text import figures, growth_text, how_to_accept, is_per_layer, margin_text
from convcost.units import format_column


class Severity(enum.Enum):
    """What a finding does to the exit code: 1 or 3, or nothing."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to tell. `place` is None where no file of the project speaks of it.

    `subject` is the same from run to run whatever the numbers: the model, the budget and the layer.
    """

    code: Code
    severity: Severity
    title: str
    message: str
    model: str
    subject: str
    place: Place | None


def findings_of(report: CheckReport) -> tuple[Finding, ...]:
    """Every verdict but the passes, in their order; a limit on each layer gives a finding for each layer over it."""
    found = [item for result in report.results for verdict in result for item in findings_on(verdict, result, report)]
    return (*found, *(item for verdict in report.general for item in findings_on(verdict, None, report)))


def findings_on(verdict: Verdict, result: Verdicts | None, report: CheckReport) -> Iterator[Finding]:
    """Those of one verdict, none for a pass; `result` is its model's, where it has one."""
    if verdict.code is None:
        return
    each = verdict.causes if is_per_layer(verdict) and verdict.causes else (None,)
    for cause in each:
        yield _finding(verdict, verdict.code, cause, result, report)


def _finding(
    verdict: Verdict, code: Code, cause: Cause | None, result: Verdicts | None, report: CheckReport
) -> Finding:
    model = (result.name or result.analysis.target) if result else ""
    subject = verdict.budget.subject if cause is None else f"{verdict.budget.metric.name} of {cause.layer.name}"
    failing = verdict.status in (Status.FAIL, Status.CANNOT_TELL) and verdict.budget.terms.level is Level.ERROR
    where = verdict.budget.terms.where
    return Finding(
        code=code,
        severity=Severity.ERROR if failing else Severity.WARNING,
        title=f"{code.name} {code.title}" + (f": {model}" if model else ""),
        message=_message(verdict, cause, subject),
        model=model,
        subject=" ".join(filter(None, (model, verdict.budget.subject, cause.layer.name if cause else ""))),
        place=next(
            (
                place
                for place in (
                    *_places_of_layers([cause] if cause else verdict.causes),
                    *([Place(file=where.file, line=where.line, column=where.column)] if where else ()),
                    *(report.places.get(name) for name in ([model] if result else [])),
                )
                if place is not None and _is_inside(place.file)
            ),
            None,
        ),
    )


def _places_of_layers(causes: Iterable[Cause]) -> Iterator[Place]:
    """The source lines of the layers that something changed in; the costliest of many is nobody's fault."""
    for cause in causes:
        origin = cause.layer.node.origin
        if origin and origin.file is not None and (cause.reason or cause.baseline is None):
            yield Place(file=origin.file, line=origin.line or 1)


def _is_inside(file: str) -> bool:
    """Whether a viewer of the repository could show the file."""
    path = PurePath(file)
    return not path.is_absolute() and ".." not in path.parts


def _message(verdict: Verdict, cause: Cause | None, subject: str) -> str:
    value, limit = figures(verdict)
    if cause is not None and verdict.limit is not None:
        value, limit = format_column([cause.value, verdict.limit], verdict.budget.metric.unit)
    held = f"{subject}: {value}, limit {limit}" if verdict.value is not None else f"{subject}: {verdict.reason}"
    parts = [held]
    if verdict.margin is not None and cause is None:
        parts.append(margin_text(verdict))
    parts += [growth_text(verdict), verdict.reason if verdict.value is not None and cause is None else ""]
    causes = [cause] if cause is not None else verdict.causes[:3]
    parts += [f"{each.layer.name}: {each.reason}" for each in causes if each.reason]
    said = " ".join(verdict.budget.terms.message.split())
    lines = ["; ".join(part for part in parts if part), said, how_to_accept(verdict)]
    # A name with a line break in it must not begin a line, which a CI system may read as a command.
    return "\n".join(printable(line) for line in lines if line)
