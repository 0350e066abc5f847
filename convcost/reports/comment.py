"""A pull request's comment: the verdicts in short, the tables folded away, and a mark to find the comment again."""

from __future__ import annotations

from collections.abc import Iterator

from convcost.budgets import Status, Verdict, Verdicts
from convcost.reports import markdown
from convcost.reports.check import CheckReport
from convcost.reports.escape import markdown_name, markdown_text
from convcost.reports.style import Style
from convcost.reports.verdict_text import figures, growth_text, margin_text

MARKER = "<!-- convcost check -->"
LONGEST = 60_000
"""GitHub refuses a comment of more than 65,536 characters."""

_WORDS = {
    Status.PASS: "✅ pass",
    Status.WARN: "⚠️ warning",
    Status.CANNOT_TELL: "❔ cannot tell",
    Status.FAIL: "❌ over budget",
}


def render(report: CheckReport, style: Style) -> str:
    """At most 60,000 characters: what is left out of the details is said to be; style plays no part."""
    lines, left = [MARKER, "## convcost", *_overview(report)], []
    size = sum(len(line) + 1 for line in lines)
    for detail in _details(report, style):
        if size + len(detail) + 200 > LONGEST:
            left.append(detail)
            continue
        lines.append(detail)
        size += len(detail) + 1
    if left:
        lines.append(f"_{len(left)} more models are in the job's own report._")
    return _cut("\n".join(lines) + "\n")


def _overview(report: CheckReport) -> Iterator[str]:
    yield "| Model | Budget | Value | Limit | | |"
    yield "| :--- | :--- | ---: | ---: | :--- | :--- |"
    rows = [(result.name or result.analysis.target, verdict) for result in report.results for verdict in result]
    rows += [("", verdict) for verdict in report.general]
    for status in reversed(_WORDS):  # what is missed first, what is kept last
        yield from (_row(name, verdict) for name, verdict in rows if verdict.status is status)


def _row(name: str, verdict: Verdict) -> str:
    value, limit = map(markdown_text, figures(verdict))
    more = "; ".join(filter(None, (margin_text(verdict), growth_text(verdict), verdict.budget.terms.message)))
    cells = (markdown_name(name), markdown_name(verdict.budget.subject), value, limit, _WORDS[verdict.status])
    return f"| {' | '.join(cells)} | {markdown_text(more)} |"


def _details(report: CheckReport, style: Style) -> Iterator[str]:
    """Each model with something to say, its causes and how to accept them."""
    for result in report.results:
        if result.status is not Status.PASS:
            yield from _detail(result, style)


def _detail(result: Verdicts, style: Style) -> Iterator[str]:
    why = [
        f"- {markdown_name(cause.layer.name)}: {markdown_text(cause.reason)}"
        for cause in {cause.layer.name: cause for verdict in result for cause in verdict.causes}.values()
        if cause.reason
    ]
    name = markdown_text(result.name or result.analysis.target)
    table = markdown.render(CheckReport(results=(result,)), style)
    parts = [
        f"\n**{name}**\n",
        *why,
        "",
        f"<details><summary>{name} in full</summary>\n",
        table,
        "\n</details>",
    ]
    yield "\n".join(parts)


def _cut(text: str) -> str:
    """So many budgets that even the overview is too long: whole lines, and a last one that says so."""
    if len(text) <= LONGEST:
        return text
    kept = text[: LONGEST - 100]
    return f"{kept[: kept.rfind(chr(10))]}\n\n_Cut here: the rest is in the job's own report._\n"
