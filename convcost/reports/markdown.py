"""Markdown tables, for pull requests and documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convcost.reports.document import Document, Fact, Kind, Report, Table
from convcost.reports.escape import markdown_name, markdown_text
from convcost.reports.style import Style


def render(report: Report, style: Style) -> str:
    """Every document under a heading of its own; style plays no part."""
    return "\n".join("\n".join(_document(document)) + "\n" for document in report.documents())


def _document(document: Document) -> Iterator[str]:
    yield f"### {markdown_text(document.title)}"
    for line in document.subtitle:
        yield ""
        yield markdown_text(line)
    for table in document.tables:
        yield ""
        if table.title:
            yield f"**{markdown_text(table.title)}**"
            yield ""
        yield from _table(table)
    if document.facts:
        yield ""
        yield from _facts(document.facts)
    for text in (*(f"note: {note}" for note in document.notes), *document.footer):
        yield ""
        yield markdown_text(text)


def _table(table: Table) -> Iterator[str]:
    texts = [column.kind.is_text for column in table.columns]
    yield _row([markdown_text(column.title.replace("-\n", "-").replace("\n", " ")) for column in table.columns])
    yield _row([":---" if is_text else "---:" for is_text in texts])
    for at, cells in enumerate(table.shown()):
        in_summary = at >= len(table.rows)
        yield _row(
            [
                markdown_name(cell) if column.kind is Kind.NAME and not in_summary else markdown_text(cell)
                for column, cell in zip(table.columns, cells, strict=True)
            ]
        )
    for remark in table.remarks:
        yield ""
        yield markdown_text(remark)


def _facts(facts: Sequence[Fact]) -> Iterator[str]:
    yield _row(["Total", "", "Exact", ""])
    yield _row([":---", "---:", "---:", ":---"])
    for fact in facts:
        yield _row([markdown_text(text) for text in (fact.label, fact.short(), fact.exact(), fact.remark)])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
