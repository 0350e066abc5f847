"""The rows of an analysis: its layers or groups, what is left out of the view, and the total they add up to."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from convcost.analysis import Analysis, Layer, Storage
from convcost.analysis.group import Group
from convcost.analysis.metrics import METRICS
from convcost.dataclasses import dataclass
from convcost.graph import Cost
from convcost.graph.ops import Unknown
from convcost.reports.document import Column, Kind, Row, Table, Value, shape_text
from convcost.reports.view import Entry, View, select
from convcost.units import Unit

_UNCOUNTED = "?"
_UNUSED = "(not used by this input)"
_BACKWARD = Column(key="backward_macs", title="Backward MACs", kind=Kind.COUNT)
_LAYER_COUNT = Column(key="layers", title="Layers", kind=Kind.WHOLE)


def layer_table(analysis: Analysis, view: View) -> Table:
    """For people: the view's rows, then those that make them add up, then the total."""
    selection = select(analysis, view)
    cost = analysis.totals.cost
    row = _RowMaker(
        view=view, work=cost.macs if view.unit == "macs" else cost.flops, backward=analysis.backward is not None
    )
    total = Group(
        name="Total (at least)" if analysis.is_lower_bound else "Total",
        layers=len(analysis.layers),
        cost=cost,
        storage=analysis.totals.storage,
        activation_bytes=analysis.totals.activation_bytes,
        backward=analysis.backward,
    )
    return Table(
        columns=(*_columns(view), *((_BACKWARD,) if row.backward else ())),
        rows=tuple(row.of(entry) for entry in selection.shown),
        summary=tuple(row.of(group) for group in (*_remainder(analysis, selection.rest), total)),
    )


def layer_records(analyses: Iterable[Analysis], view: View) -> Table:
    """For spreadsheets: every entry (with `--top`, those and the rest), so that each column adds up to its total."""
    complete = dataclasses.replace(view, every_row=True)
    models = tuple(analyses)
    backward = any(analysis.backward is not None for analysis in models)
    texts = ("target", view.by, *(("kind", "output") if view.by == "layer" else ("layers",)))
    columns = (
        *(Column(key=key, title=key, kind=Kind.TEXT) for key in texts),
        *(
            Column(key=metric.name, title=metric.label, kind=Kind.BYTES if metric.unit is Unit.BYTES else Kind.COUNT)
            for metric in METRICS
            if metric.measure
        ),
        *((_BACKWARD,) if backward else ()),
    )
    rows: list[Row] = []
    for analysis in models:
        selection = select(analysis, complete)
        entries = (*selection.shown, *_remainder(analysis, selection.rest))
        rows.extend(_record(analysis.target, entry, view, backward=backward) for entry in entries)
    return Table(columns=columns, rows=tuple(rows))


def _remainder(analysis: Analysis, rest: Group) -> Iterator[Group]:
    """What is not among the shown rows and yet in the total."""
    if rest.layers:
        yield dataclasses.replace(rest, name=f"… {rest.layers} more layer{'s' if rest.layers > 1 else ''}")
    if analysis.unused != Storage():
        yield Group(name=_UNUSED, layers=0, cost=Cost(), storage=analysis.unused, activation_bytes=0)


def _columns(view: View) -> tuple[Column, ...]:
    lead = {
        "layer": (
            Column(key="layer", title="Layer", kind=Kind.NAME),
            Column(key="kind", title="Kind", kind=Kind.TEXT),
            Column(key="output", title="Output", kind=Kind.TEXT, spare=2),
        ),
        "kind": (Column(key="kind", title="Kind", kind=Kind.NAME), _LAYER_COUNT),
        "module": (Column(key="module", title="Module", kind=Kind.NAME), _LAYER_COUNT),
    }[view.by]
    macs = Column(key="macs", title="MACs", kind=Kind.COUNT, spare=0 if view.unit == "macs" else 4)
    flops = Column(key="flops", title="FLOPs", kind=Kind.COUNT, spare=0 if view.unit == "flops" else 4)
    first, second = (macs, flops) if view.unit == "macs" else (flops, macs)
    return (
        *lead,
        first,
        Column(key="share", title="Share", kind=Kind.PERCENT, spare=1),
        Column(key="params", title="Params", kind=Kind.COUNT),
        Column(key="activation_bytes", title="Activations", kind=Kind.BYTES, spare=3),
        Column(key="other_ops", title="Other ops", kind=Kind.COUNT, spare=5),
        second,
        Column(key="weight_bytes", title="Weights", kind=Kind.BYTES, spare=6),
        Column(key="flops_per_byte", title="FLOPs/byte", kind=Kind.RATE, spare=7),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _RowMaker:
    """Rows of the columns above, perhaps with the backward pass last; `work` is the total that shares are of."""

    view: View
    work: int
    backward: bool = False

    def of(self, entry: Entry) -> Row:
        gradients = (_gradient_macs(entry),) if self.backward else ()
        return (entry.name, *self._lead(entry), *self._numbers(entry), *gradients)

    def _lead(self, entry: Entry) -> Row:
        if self.view.by != "layer":
            return (entry.layers if isinstance(entry, Group) else 1,)
        return (entry.node.op.kind, _output(entry)) if isinstance(entry, Layer) else (None, None)

    def _numbers(self, entry: Entry) -> Row:
        macs, flops, other_ops = _work(entry)
        first, second = (macs, flops) if self.view.unit == "macs" else (flops, macs)
        return (
            first,
            first / self.work if self.work and isinstance(first, int) else None,
            entry.storage.params,
            entry.activation_bytes,
            other_ops,
            second,
            entry.storage.weight_bytes,
            entry.cost.arithmetic_intensity if isinstance(first, int) else None,
        )


def _work(entry: Entry) -> tuple[Value, Value, Value]:
    """MACs, FLOPs and other ops; what was not counted is not a zero."""
    if isinstance(entry, Layer) and isinstance(entry.node.op, Unknown):
        return (_UNCOUNTED, _UNCOUNTED, _UNCOUNTED)
    return (entry.cost.macs, entry.cost.flops, entry.cost.other_ops)


def _gradient_macs(entry: Entry) -> Value:
    if isinstance(entry, Layer) and isinstance(entry.node.op, Unknown):
        return _UNCOUNTED
    return entry.backward.macs if entry.backward is not None else None


def _output(layer: Layer) -> str:
    outputs = layer.node.outputs
    if not outputs:
        return ""
    if isinstance(layer.node.op, Unknown) and not outputs[0].numel:
        return "?"  # the source could not tell its shape
    return shape_text(outputs[0].shape) + (f" (+{len(outputs) - 1})" if len(outputs) > 1 else "")


def _record(target: str, entry: Entry, view: View, *, backward: bool) -> Row:
    lead: Row
    if view.by == "layer":
        lead = (entry.node.op.kind, _output(entry)) if isinstance(entry, Layer) else (None, None)
    else:
        lead = (entry.layers if isinstance(entry, Group) else 1,)
    macs, flops, other_ops = _work(entry)
    counted = {"macs": macs, "flops": flops, "other_ops": other_ops}
    numbers = (counted.get(metric.name, metric.of(entry)) for metric in METRICS if metric.measure)
    values = (*numbers, *((_gradient_macs(entry),) if backward else ()))
    return (target, entry.name, *lead, *(None if value == _UNCOUNTED else value for value in values))
