"""Reports of many models as text, piece by piece: together they are what all models at once would be rendered as."""

from __future__ import annotations

from collections.abc import Sequence

from convcost.analysis import Json
from convcost.reports import render
from convcost.reports.analysis import several_json
from convcost.reports.document import Report
from convcost.reports.escape import printable
from convcost.reports.jsontext import json_text
from convcost.reports.query import of_each, query
from convcost.reports.style import Style


class Pieces:
    """One model after the other in a format: `begin`, `of` for each, `end`. What could not be read is in JSON alone."""

    def __init__(self, format_name: str, style: Style) -> None:
        self.format_name, self.style = format_name, style
        self.count = 0

    def of(self, report: Report) -> str:
        """The next model's part, with what stands between it and the one before."""
        self.count += 1
        text = render(self.format_name, report, self.style)
        if self.count == 1:
            return text
        return text.partition("\n")[2] if self.format_name == "csv" else f"\n{text}"

    def end(self, failures: Sequence[Json]) -> str:
        """What stands after the last model."""
        return ""


class JsonPieces(Pieces):
    """One document, of which the models are a list."""

    def of(self, report: Report) -> str:
        self.count += 1
        return f"{self._head() if self.count == 1 else ','}\n{_indented(json_text(report.to_json()), 4)}"

    def end(self, failures: Sequence[Json]) -> str:
        models = "\n  ]" if self.count else f"{self._head()}]"
        listed = _indented(json_text(list(failures)), 2).lstrip()
        return f'{models},\n  "failures": {listed}\n}}\n'

    def _head(self) -> str:
        """The document as it is without models, up to where they go."""
        return json_text(several_json(())).partition("[")[0] + "["


class QueryPieces(Pieces):
    """A line for each model where the path is within one, else the one value of the whole document."""

    def __init__(self, path: str) -> None:
        super().__init__("query", Style())
        self.path, self.whole = path, not of_each(path)
        self.analyses: list[Json] = []

    def of(self, report: Report) -> str:
        document = report.to_json()
        if self.whole:
            self.analyses.append(document)
            return ""
        return _lines(query(document, self.path))

    def end(self, failures: Sequence[Json]) -> str:
        if not self.whole:
            return ""
        return _lines(query(several_json(self.analyses, failures), self.path))


def pieces(format_name: str, style: Style) -> Pieces:
    """For one of the formats of `FORMATS`."""
    return JsonPieces(format_name, style) if format_name == "json" else Pieces(format_name, style)


def _lines(values: Sequence[str]) -> str:
    return "".join(f"{printable(value)}\n" for value in values)


def _indented(text: str, by: int) -> str:
    """Every line further in; line breaks within strings are escaped."""
    return "\n".join(f"{' ' * by}{line}" for line in text.removesuffix("\n").split("\n"))
