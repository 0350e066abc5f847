"""Workflow commands: annotations that GitHub shows beside the changed lines."""

from __future__ import annotations

from collections.abc import Iterator

from convcost.reports.check import CheckReport
from convcost.reports.escape import printable
from convcost.reports.findings import Finding, Severity, findings_of
from convcost.reports.style import Style

MOST_OF_A_KIND = 10
"""GitHub shows ten errors and ten warnings of a step, and drops the rest without a word."""


def render(report: CheckReport, style: Style) -> str:
    """One line per finding, ten of a kind at most, then a line per model; style plays no part."""
    return "".join(f"{line}\n" for line in _lines(report))


def _lines(report: CheckReport) -> Iterator[str]:
    findings = findings_of(report)
    for severity in Severity:
        same = [finding for finding in findings if finding.severity is severity]
        yield from map(_command, same[:MOST_OF_A_KIND])
        if len(same) > MOST_OF_A_KIND:
            yield f"convcost: {len(same) - MOST_OF_A_KIND} more findings of kind '{severity.value}' are in the report"
    for result in report.results:
        yield printable(f"convcost: {result.name or result.analysis.target}: {result.status.value.replace('_', ' ')}")


def _command(finding: Finding) -> str:
    place = finding.place
    at = {"file": place.file, "line": str(place.line), "col": str(place.column)} if place else {}
    properties = {**at, "title": finding.title}
    written = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{finding.severity.value} {written}::{_data(finding.message)}"


def _data(text: str) -> str:
    """What stands behind `::`: a percent sign begins an escape, and a line end would end the command.

    >>> _data("100 %\\nmore: a, b")
    '100 %25%0Amore: a, b'
    """
    lines = "\n".join(printable(line) for line in text.split("\n"))
    return lines.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A value before `::`, where colons and commas are syntax as well.

    >>> _property("a:b, 5 %")
    'a%3Ab%2C 5 %25'
    """
    return _data(text).replace(":", "%3A").replace(",", "%2C")
