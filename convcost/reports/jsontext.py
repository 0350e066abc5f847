"""JSON, straight from the result."""

from __future__ import annotations

import json
import re

from convcost.analysis import Json
from convcost.reports.document import Report
from convcost.reports.style import Style


def render(report: Report, style: Style) -> str:
    """Indented, shapes on one line, keys in the order the schema lists them. Style plays no part."""
    return json_text(report.to_json())


def json_text(document: Json) -> str:
    """Valid UTF-8 whatever the names hold: a lone surrogate turns every non-ASCII character into an escape."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(document, indent=2)
    return f"{_NUMBERS.sub(_on_one_line, text)}\n"


# Lists of whole numbers, one a line as `indent` leaves them. A string cannot look like one: its newlines are escaped.
_NUMBERS = re.compile(r"\[\s+-?\d+(?:,\s+-?\d+)*\s+\]", re.ASCII)


def _on_one_line(numbers: re.Match[str]) -> str:
    return f"[{' '.join(numbers[0][1:-1].split())}]"
