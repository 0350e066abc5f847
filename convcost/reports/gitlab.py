"""GitLab's code quality report, which merge requests show."""

from __future__ import annotations

import hashlib

from convcost.analysis import Json
from convcost.reports.check import CheckReport
from convcost.reports.findings import Finding, Severity, findings_of
from convcost.reports.jsontext import json_text
from convcost.reports.style import Style

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor"}
_NOWHERE = "convcost"


def render(report: CheckReport, style: Style) -> str:
    """A list of issues; a fingerprint says which finding it is, not how large, so that it stays one issue."""
    issues: list[Json] = [_issue(finding) for finding in findings_of(report)]
    return json_text(issues)


def _issue(finding: Finding) -> dict[str, Json]:
    place = finding.place
    return {
        "description": finding.message.replace("\n", "; "),
        "check_name": f"{finding.code.name} {finding.code.title}",
        "fingerprint": fingerprint(finding),
        "severity": _SEVERITIES[finding.severity],
        "location": {
            "path": place.file if place else finding.model or _NOWHERE,
            "lines": {"begin": place.line if place else 1},
        },
    }


def fingerprint(finding: Finding) -> str:
    """The same for the same finding on every run and machine."""
    return hashlib.sha256(f"{finding.code.name}\n{finding.subject}".encode(errors="replace")).hexdigest()
