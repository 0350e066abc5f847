"""JUnit XML, which nearly every CI system shows as test results."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from convcost.budgets import Status, Verdict, Verdicts
from convcost.reports.check import CheckReport
from convcost.reports.escape import printable
from convcost.reports.findings import Finding, findings_on
from convcost.reports.style import Style
from convcost.reports.verdict_text import figures, margin_text

_GENERAL = "convcost"


def render(report: CheckReport, style: Style) -> str:
    """A suite per model and a case per budget: missed ones fail, those that cannot be told are errors."""
    suites = [_suite(result.verdicts, result, report) for result in report.results]
    if report.general:
        suites.append(_suite(report.general, None, report))
    body = "".join(suites)
    counts = _counts([*(verdict for result in report.results for verdict in result), *report.general])
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="convcost" {counts}>\n{body}</testsuites>\n'


def _suite(verdicts: Sequence[Verdict], result: Verdicts | None, report: CheckReport) -> str:
    name = (result.name or result.analysis.target) if result else _GENERAL
    cases = "".join(_case(name, verdict, list(findings_on(verdict, result, report))) for verdict in verdicts)
    return f"  <testsuite name={_attribute(name)} {_counts(verdicts)}>\n{cases}  </testsuite>\n"


def _counts(verdicts: Sequence[Verdict]) -> str:
    failures = sum(verdict.status is Status.FAIL for verdict in verdicts)
    errors = sum(verdict.status is Status.CANNOT_TELL for verdict in verdicts)
    return f'tests="{len(verdicts)}" failures="{failures}" errors="{errors}"'


def _case(model: str, verdict: Verdict, findings: Sequence[Finding]) -> str:
    value, limit = figures(verdict)
    measured = f"{value}, limit {limit}; {margin_text(verdict)}"
    inner = f"      <system-out>{_text(measured)}</system-out>\n"
    if verdict.status in (Status.FAIL, Status.CANNOT_TELL) and verdict.code is not None:
        tag = "failure" if verdict.status is Status.FAIL else "error"
        said = "\n".join(finding.message for finding in findings)
        kind = f"{verdict.code.name} {verdict.code.title}"
        inner = f"      <{tag} type={_attribute(kind)} message={_attribute(measured)}>{_text(said)}</{tag}>\n{inner}"
    head = f"<testcase classname={_attribute(f'convcost.{model}')} name={_attribute(verdict.budget.subject)}>"
    return f"    {head}\n{inner}    </testcase>\n"


def _attribute(text: str) -> str:
    """What is printable can be written in XML, which has no way at all to say most control characters."""
    return quoteattr(printable(text))


def _text(text: str) -> str:
    return escape("\n".join(printable(line) for line in text.split("\n")))
