"""Analyses in another counter's convention: the report on the costs, and the terms from our total to the counter's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from convcost.analysis import Json
from convcost.conventions import Expression
from convcost.dataclasses import dataclass
from convcost.reports.analysis import AnalysisReport
from convcost.reports.document import Column, Document, Kind, Row, Table
from convcost.reports.view import View
from convcost.units import Unit, format_quantity

_EVERY_LAYER = View()
_OURS = "MACs, as convcost counts"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConventionReport:
    """One or more models, all in the same convention."""

    expressions: tuple[Expression, ...]
    view: View = _EVERY_LAYER

    def documents(self) -> tuple[Document, ...]:
        return tuple(
            replace(document, tables=(*document.tables, _table(each)))
            for document, each in zip(self._costs().documents(), self.expressions, strict=True)
        )

    def records(self) -> Table:
        """Ours and every term; the amounts of a model add up to what the counter prints."""
        keys = {"target": Kind.TEXT, "convention": Kind.TEXT, "term": Kind.TEXT}
        numbers = {"layers": Kind.COUNT, "amount": Kind.COUNT, "exact": Kind.TEXT}
        columns = tuple(Column(key=key, title=key, kind=kind) for key, kind in (keys | numbers).items())
        return Table(columns=columns, rows=tuple(row for each in self.expressions for row in _records(each)))

    def to_json(self) -> Json:
        whole = self._costs().to_json()
        documents = whole["analyses"] if isinstance(whole, dict) and "analyses" in whole else [whole]
        for document, each in zip(documents if isinstance(documents, list) else (), self.expressions, strict=True):
            if isinstance(document, dict):
                document["convention_terms"] = each.to_json()
        return whole

    def _costs(self) -> AnalysisReport:
        return AnalysisReport(analyses=tuple(each.analysis for each in self.expressions), view=self.view)


def _table(expression: Expression) -> Table:
    convention = expression.convention
    total = f"{expression.total:,}"
    about = "" if expression.exact else "about "
    ours: Row = (_OURS, _multiplying(expression), f"{expression.analysis.totals.macs:,}")
    terms = ((_named(term.why, exact=term.exact), term.layers, f"{term.amount:+,}") for term in expression.terms)
    short = format_quantity(expression.total, Unit.COUNT)
    return Table(
        columns=(
            Column(key="term", title=f"As {convention.name} counts", kind=Kind.TEXT),
            Column(key="layers", title="Layers", kind=Kind.WHOLE, spare=1),
            Column(key="amount", title="Amount", kind=Kind.FIGURE),
        ),
        rows=(ours, *terms),
        summary=((f"{about}what {convention.name} would print ({short})", "", total),),
        title=f"By the rules of {convention.read_from}: {convention.summary}",
        remarks=tuple(f"about: {note}" for note in expression.notes),
    )


def _named(why: str, *, exact: bool) -> str:
    return why if exact else f"about: {why}"


def _multiplying(expression: Expression) -> int:
    return sum(1 for layer in expression.analysis.layers if layer.cost.macs)


def _records(expression: Expression) -> Sequence[Row]:
    target, name = expression.analysis.target, expression.convention.name
    exact = "yes" if not expression.notes else "no"
    return (
        (target, name, _OURS, _multiplying(expression), expression.analysis.totals.macs, exact),
        *(
            (target, name, term.why, term.layers, term.amount, exact if term.exact else "no")
            for term in expression.terms
        ),
    )
