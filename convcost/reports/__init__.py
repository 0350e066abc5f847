"""Results to text: one table of formats, each a function of a report and where it goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from convcost.reports.document import Report
from convcost.reports.jsontext import render_json
from convcost.reports.markdown import render_markdown
from convcost.reports.spreadsheet import render_csv
from convcost.reports.style import Style
from convcost.reports.text import render_text

__all__ = ["FORMATS", "Renderer", "Report", "Style"]

Renderer = Callable[[Report, Style], str]

FORMATS: Mapping[str, Renderer] = {
    "table": render_text,
    "json": render_json,
    "csv": render_csv,
    "markdown": render_markdown,
}
