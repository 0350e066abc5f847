"""CSV: one flat table of raw numbers, every row."""

from __future__ import annotations

import csv
import io

from convcost.reports.document import Report, Value
from convcost.reports.escape import spreadsheet
from convcost.reports.style import Style


def render(report: Report, style: Style) -> str:
    """Exact integers under a header of column keys; texts cannot start a formula. Style plays no part."""
    table = report.records()
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow([column.key for column in table.columns])
    writer.writerows([_cell(value) for value in row] for row in (*table.rows, *table.summary))
    return lines.getvalue()


def _cell(value: Value) -> Value:
    return spreadsheet(value) if isinstance(value, str) else value
