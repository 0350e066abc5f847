"""Tables for a terminal or a pipe, one row a line."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from convcost.reports.document import Column, Document, Fact, Kind, Report, Table
from convcost.reports.escape import printable
from convcost.reports.style import Style

_GAP = 2
_INDENT = "  "
_SHORTEST_NAME = 16
_PLAIN = Style()


def render_text(report: Report, style: Style) -> str:
    """Every document, one below the other."""
    return "\n".join("\n".join(_document(document, style)) + "\n" for document in report.documents())


def _document(document: Document, style: Style) -> Iterator[str]:
    yield style.bold(printable(document.title))
    yield from (line for text in document.subtitle for line in _wrapped(printable(text), style))
    for table in document.tables:
        yield ""
        if table.title:
            yield from _wrapped(printable(table.title), style)
        yield from _table(table, style)
    if document.facts:
        yield ""
        yield from _facts(document.facts, style)
    if document.notes:
        yield ""
        yield from (line for note in document.notes for line in _wrapped(f"note: {printable(note)}", style))
    if document.footer:
        yield ""
        yield from (style.dim(line) for text in document.footer for line in _wrapped(text, style))


def _wrapped(text: str, style: Style) -> list[str]:
    if style.width is None:
        return [text]
    return textwrap.wrap(text, style.width, subsequent_indent=_INDENT, break_long_words=False) or [""]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Which columns fit, how wide they are, and what had to be left out."""

    kept: tuple[int, ...]
    widths: dict[int, int]
    hidden: tuple[str, ...]


def _table(table: Table, style: Style) -> Iterator[str]:
    cells = [[printable(cell) for cell in row] for row in table.shown()]
    layout = _fit(table.columns, cells, style.width)
    for heads in _heads(table.columns):
        yield style.bold(_line(table.columns, heads, layout))
    for row in cells[: len(table.rows)]:
        yield _line(table.columns, row, layout, style)
    if table.summary:
        yield style.dim(_INDENT + "─" * (sum(layout.widths.values()) + _GAP * (len(layout.kept) - 1)))
        for row in cells[len(table.rows) :]:
            yield style.bold(_line(table.columns, row, layout))
    if layout.hidden:
        yield style.dim(f"{_INDENT}(too narrow for: {', '.join(layout.hidden)})")
    yield from (f"{_INDENT}{line}" for remark in table.remarks for line in _wrapped(printable(remark), style))


def _heads(columns: Sequence[Column]) -> list[list[str]]:
    """Titles as lines, the last lines of all in one row."""
    titles = [column.title.split("\n") for column in columns]
    height = max(map(len, titles))
    padded = [[""] * (height - len(title)) + title for title in titles]
    return [list(line) for line in zip(*padded, strict=True)]


def _title_width(column: Column) -> int:
    return max(map(display_width, column.title.split("\n")))


def _fit(columns: Sequence[Column], cells: Sequence[Sequence[str]], width: int | None) -> _Layout:
    """Leaves out spare columns until the rest fits with names cut; numbers are never cut."""
    natural = {
        at: max([_title_width(column), *(display_width(row[at]) for row in cells)]) for at, column in enumerate(columns)
    }
    kept = dict(natural)
    if width is not None:
        by_need = sorted((at for at in natural if columns[at].spare), key=lambda at: -columns[at].spare)
        while _total(_narrowest(kept, columns)) > width and by_need:
            del kept[by_need.pop(0)]
        kept = _shrunk(kept, columns, width)
    hidden = tuple(column.title.replace("\n", " ") for at, column in enumerate(columns) if at not in kept)
    return _Layout(kept=tuple(kept), widths=kept, hidden=hidden)


def _narrowest(widths: dict[int, int], columns: Sequence[Column]) -> dict[int, int]:
    return {
        at: min(width, max(_SHORTEST_NAME, _title_width(columns[at]))) if columns[at].kind is Kind.NAME else width
        for at, width in widths.items()
    }


def _shrunk(widths: dict[int, int], columns: Sequence[Column], room: int) -> dict[int, int]:
    """Takes what is missing from the widest name column, then the next."""
    result, least = dict(widths), _narrowest(widths, columns)
    for at in sorted(result, key=lambda at: -result[at]):
        excess = _total(result) - room
        if excess > 0:
            result[at] = max(least[at], result[at] - excess)
    return result


def _total(widths: dict[int, int]) -> int:
    return len(_INDENT) + sum(widths.values()) + _GAP * (len(widths) - 1)


_STATUS_COLORS = {"PASS": "32", "FAIL": "31", "CANNOT TELL": "33"}


def _line(columns: Sequence[Column], cells: Sequence[str], layout: _Layout, style: Style = _PLAIN) -> str:
    parts = []
    for at in layout.kept:
        text = elided(cells[at], layout.widths[at]) if columns[at].kind is Kind.NAME else cells[at]
        padding = " " * (layout.widths[at] - display_width(text))
        if columns[at].kind is Kind.STATUS:
            text = style.colored(_STATUS_COLORS.get(text, ""), text)
        parts.append(text + padding if columns[at].kind.is_text else padding + text)
    return (_INDENT + (" " * _GAP).join(parts)).rstrip()


def _facts(facts: Sequence[Fact], style: Style) -> Iterator[str]:
    labels, shorts, exacts = (
        [getter(fact) for fact in facts] for getter in (lambda f: f.label, Fact.short, Fact.exact)
    )
    numeric = [short for fact, short in zip(facts, shorts, strict=True) if not isinstance(fact.value, str)]
    label_width = max(map(display_width, labels))
    short_width = max(map(display_width, numeric), default=0)
    exact_width = max(map(display_width, exacts))
    for fact, label, short, exact in zip(facts, labels, shorts, exacts, strict=True):
        lead = f"{_INDENT}{label:<{label_width}}  "
        if isinstance(fact.value, str):
            remark = f"  {fact.remark}" if fact.remark else ""
            yield from _wrapped(f"{lead}{printable(short)}{remark}", style)
        else:
            remark = f"{exact:>{exact_width}}  {fact.remark}".rstrip()
            yield f"{lead}{style.bold(f'{short:>{short_width}}')}  {remark}".rstrip()


def elided(text: str, width: int) -> str:
    """Cut in the middle: both ends of a layer's name tell it from its neighbours.

    >>> elided("features.denseblock3.denselayer24.conv1", 24)
    'features.den…yer24.conv1'
    """
    if display_width(text) <= width:
        return text
    head = tail = ""
    while True:
        next_head = head + text[len(head)] if len(head) <= len(tail) else head
        next_tail = tail if next_head != head else text[-len(tail) - 1] + tail
        if display_width(next_head + next_tail) >= width:
            return f"{head}…{tail}"
        head, tail = next_head, next_tail


def display_width(text: str) -> int:
    """Columns a terminal gives the text; ideographs take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
