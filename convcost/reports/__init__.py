"""Results to text: one table of formats, each a module whose `render` takes a report and where it goes."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import cast

from convcost.reports.document import Report
from convcost.reports.style import Style

__all__ = ["CHECK_FORMATS", "FORMATS", "Report", "Style", "render"]

FORMATS: Mapping[str, str] = {
    "table": "convcost.reports.text",
    "json": "convcost.reports.jsontext",
    "csv": "convcost.reports.spreadsheet",
    "markdown": "convcost.reports.markdown",
}

CHECK_FORMATS: Mapping[str, str] = {
    **FORMATS,
    "markdown": "convcost.reports.comment",
    "github": "convcost.reports.github",
    "gitlab": "convcost.reports.gitlab",
    "junit": "convcost.reports.junit",
    "sarif": "convcost.reports.sarif",
}
"""What `check` can write: what CI systems read too. Modules not in `FORMATS` take a `CheckReport` and nothing else."""

_PLAIN = Style()


def render(format_name: str, report: Report, style: Style = _PLAIN, *, formats: Mapping[str, str] = FORMATS) -> str:
    """The report in one of the formats, whose module is loaded now; for a pipe or file, or as `style` says."""
    module = importlib.import_module(formats[format_name])
    return cast("Callable[[Report, Style], str]", module.render)(report, style)
