"""Verdicts as a report: each budget, by how much it was kept or missed, and where the cost lies."""

from __future__ import annotations

from dataclasses import dataclass

from convcost.analysis import Json
from convcost.budgets import Status, Verdict, Verdicts
from convcost.reports.analysis import coverage_text, inputs_of, title_of, unknown_table
from convcost.reports.document import Column, Document, Fact, Kind, Row, Table
from convcost.units import Unit, format_column, format_quantity

_COLUMNS = (
    Column(key="metric", title="Metric", kind=Kind.TEXT),
    Column(key="value", title="Value", kind=Kind.FIGURE),
    Column(key="limit", title="Limit", kind=Kind.FIGURE),
    Column(key="status", title="Verdict", kind=Kind.STATUS),
    Column(key="margin", title="Margin", kind=Kind.TEXT),
)
_RECORD_KEYS = ("target", "metric", "unit", "value", "limit", "status", "margin")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """The verdicts on one or more models."""

    results: tuple[Verdicts, ...]

    def documents(self) -> tuple[Document, ...]:
        return tuple(_document(result) for result in self.results)

    def records(self) -> Table:
        columns = tuple(Column(key=key, title=key, kind=Kind.TEXT) for key in _RECORD_KEYS)
        rows = tuple(_record(result, verdict) for result in self.results for verdict in result)
        return Table(columns=columns, rows=rows)

    def to_json(self) -> Json:
        if len(self.results) == 1:
            return self.results[0].to_json()
        return {"checks": [result.to_json() for result in self.results]}


def _document(result: Verdicts) -> Document:
    analysis = result.analysis
    failed = [verdict for verdict in result if verdict.status is Status.FAIL]
    return Document(
        title=title_of(analysis),
        subtitle=inputs_of(analysis),
        tables=(
            Table(columns=_COLUMNS, rows=tuple(_row(verdict) for verdict in result)),
            *(_costliest(verdict) for verdict in failed if verdict.costliest),
            *unknown_table(analysis),
        ),
        facts=(Fact(label="Coverage", value=coverage_text(analysis)),),
        notes=analysis.notes,
        footer=tuple(_how_to_accept(verdict) for verdict in failed),
    )


def _row(verdict: Verdict) -> Row:
    unit = verdict.budget.metric.unit
    value, limit = format_column([verdict.value, verdict.budget.limit], unit)
    shown = f"at least {value}" if verdict.lower_bound else value
    return (verdict.budget.metric.name, shown, limit, verdict.status.value.replace("_", " ").upper(), _margin(verdict))


def _margin(verdict: Verdict) -> str:
    limit, unit = verdict.budget.limit, verdict.budget.metric.unit
    if verdict.margin == 0:
        return "exactly at the limit"
    amount = format_quantity(abs(verdict.margin), unit)
    if verdict.margin > 0:
        return f"{amount} under ({100 * verdict.margin / limit:.1f} %)"
    share = f" ({_times_over(verdict.value, limit)})" if limit else ""
    return f"{amount} over{share}"


def _times_over(value: int, limit: int) -> str:
    """`+12.5 %`, or `23.1 times the limit` where percent stop being readable."""
    return f"+{100 * (value - limit) / limit:.1f} %" if value < 10 * limit else f"{value / limit:.1f} times the limit"


def _costliest(verdict: Verdict) -> Table:
    metric = verdict.budget.metric
    kind = Kind.BYTES if metric.unit is Unit.BYTES else Kind.COUNT
    columns = (
        Column(key="layer", title="Layer", kind=Kind.NAME),
        Column(key="kind", title="Kind", kind=Kind.TEXT),
        Column(key=metric.name, title=metric.label, kind=kind),
        Column(key="share", title="Share", kind=Kind.PERCENT),
    )
    rows = tuple(
        (layer.name, layer.node.op.kind, metric.of(layer), metric.of(layer) / verdict.value)
        for layer in verdict.costliest
    )
    return Table(columns=columns, rows=rows, title=f"Where the {metric.name} are: the costliest layers")


def _how_to_accept(verdict: Verdict) -> str:
    return f"To accept the new cost: --max {verdict.budget.metric.name}={verdict.value}"


def _record(result: Verdicts, verdict: Verdict) -> Row:
    metric = verdict.budget.metric
    numbers = (verdict.value, verdict.budget.limit, verdict.status.value, verdict.margin)
    return (result.analysis.target, metric.name, metric.unit.value, *numbers)
