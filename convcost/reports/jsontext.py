"""JSON, straight from the result."""

from __future__ import annotations

import json

from convcost.analysis import Json
from convcost.reports.document import Report
from convcost.reports.style import Style


def render_json(report: Report, style: Style) -> str:
    """Indented, keys in the order the schema lists them. Style plays no part."""
    return json_text(report.to_json())


def json_text(document: Json) -> str:
    """Valid UTF-8 whatever the names hold: a lone surrogate turns every non-ASCII character into an escape."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(document, indent=2)
    return f"{text}\n"
