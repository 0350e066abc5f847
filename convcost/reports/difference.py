"""A difference as a report: totals before and after, and each layer that is not what it was."""

from __future__ import annotations

from fractions import Fraction

from convcost.analysis import Json
from convcost.analysis.metrics import METRICS, Metric, metric_named
from convcost.budgets import Difference
from convcost.budgets.difference import LayerChange
from convcost.dataclasses import dataclass
from convcost.reports.analysis import title_of
from convcost.reports.document import Column, Document, Kind, Row, Table
from convcost.units import format_column, format_percent, format_quantity

_MOST_ROWS = 20
_TOTALS = (
    Column(key="metric", title="Total", kind=Kind.TEXT),
    Column(key="old", title="Old", kind=Kind.FIGURE),
    Column(key="new", title="New", kind=Kind.FIGURE),
    Column(key="delta", title="Change", kind=Kind.FIGURE),
    Column(key="share", title="", kind=Kind.FIGURE),
)
_CHANGES = (
    Column(key="layer", title="Layer", kind=Kind.NAME),
    Column(key="change", title="Change", kind=Kind.TEXT),
    Column(key="old", title="MACs\nold", kind=Kind.COUNT),
    Column(key="new", title="MACs\nnew", kind=Kind.COUNT),
    Column(key="params_old", title="Params\nold", kind=Kind.COUNT, spare=1),
    Column(key="params_new", title="Params\nnew", kind=Kind.COUNT, spare=1),
    Column(key="reason", title="What changed", kind=Kind.TEXT),
)
_MACS, _PARAMS = metric_named("macs"), metric_named("params")
_BY_LAYER = tuple(metric for metric in METRICS if metric.measure)


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceReport:
    """`every_row` shows each changed layer; without it, those whose MACs and parameters changed most."""

    difference: Difference
    every_row: bool = False

    def documents(self) -> tuple[Document, ...]:
        found = self.difference
        changed = found.changes or found.foldings
        tables = (_totals(found), *((self._changes(),) if found.changes else ()))
        return (
            Document(
                title=f"{title_of(found.old)} → {title_of(found.new)}",
                subtitle=found.input_changes() or (() if changed else ("No layer differs.",)),
                tables=tables,
                notes=tuple(folding.text() for folding in found.foldings),
                footer=(f"{found.unchanged} layers are unchanged.",),
            ),
        )

    def records(self) -> Table:
        columns = (
            *(Column(key=key, title=key, kind=Kind.TEXT) for key in ("layer", "change", "was", "what_changed")),
            *(
                Column(key=f"{metric.name}_{side}", title=metric.name, kind=Kind.COUNT)
                for metric in _BY_LAYER
                for side in ("old", "new")
            ),
        )
        return Table(columns=columns, rows=tuple(_record(change) for change in self.difference.changes))

    def to_json(self) -> Json:
        return self.difference.to_json()

    def _changes(self) -> Table:
        changes = self.difference.changes
        shown = changes
        if not self.every_row and len(changes) > _MOST_ROWS:
            largest = sorted(changes, key=_weight, reverse=True)[:_MOST_ROWS]
            kept = {id(change) for change in largest}
            shown = tuple(change for change in changes if id(change) in kept)
        more = len(changes) - len(shown)
        remarks = (f"… {more} more layers changed less; -v shows them all",) if more else ()
        return Table(columns=_CHANGES, rows=tuple(map(_row, shown)), remarks=remarks)


def _totals(found: Difference) -> Table:
    return Table(columns=_TOTALS, rows=tuple(_total(found, metric) for metric in METRICS))


def _total(found: Difference, metric: Metric) -> Row:
    before, after = found.totals(metric)
    old, new = format_column([before, after], metric.unit)
    sides = ((old, found.old), (new, found.new))
    least = [f"at least {text}" if metric.is_least(side) else text for text, side in sides]
    if before == after:
        return (metric.label, *least, "", "")
    amount = f"{'+' if after > before else '-'}{format_quantity(abs(after - before), metric.unit)}"
    return (metric.label, *least, amount, format_percent(Fraction(after - before, before)) if before else "")


def _weight(change: LayerChange) -> tuple[int, int]:
    return abs(change.delta(_MACS)), abs(change.delta(_PARAMS))


def _row(change: LayerChange) -> Row:
    old, new = change.pair.old, change.pair.new
    macs, params = ([metric.of(layer) if layer else None for layer in (old, new)] for metric in (_MACS, _PARAMS))
    return (change.pair.name, change.change, *macs, *params, change.reason(_MACS))


def _record(change: LayerChange) -> Row:
    old, new = change.pair.old, change.pair.new
    numbers = (metric.of(layer) if layer else None for metric in _BY_LAYER for layer in (old, new))
    return (change.pair.name, change.change, old.name if old else "", change.reason(_MACS), *numbers)
