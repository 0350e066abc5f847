"""Explanations as a report."""

from __future__ import annotations

from convcost import __version__
from convcost.analysis import Json
from convcost.dataclasses import dataclass
from convcost.explain import Explanation
from convcost.reports.document import Column, Document, Kind, Table

_KEYS = ("name", "category", "summary", "formula", "reference")
_SCHEMA = "convcost/explanation/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplanationReport:
    """One or more names and what they mean."""

    explanations: tuple[Explanation, ...]

    def documents(self) -> tuple[Document, ...]:
        return tuple(
            Document(title=f"{each.name} ({each.category})", subtitle=_lines(each)) for each in self.explanations
        )

    def records(self) -> Table:
        columns = tuple(Column(key=key, title=key, kind=Kind.TEXT) for key in _KEYS)
        rows = tuple((e.name, e.category, e.summary, e.formula, e.reference) for e in self.explanations)
        return Table(columns=columns, rows=rows)

    def to_json(self) -> Json:
        return {
            "schema": _SCHEMA,
            "convcost": __version__,
            "entries": [each.to_json() for each in self.explanations],
        }


def _lines(each: Explanation) -> tuple[str, ...]:
    also = f"Also: {', '.join(each.also)}" if each.also else ""
    formula = f"Formula: {each.formula}" if each.formula else ""
    reference = f"Source: {each.reference}" if each.reference and each.category != "metric" else each.reference
    return tuple(line for line in (each.summary, formula, reference, also) if line)
