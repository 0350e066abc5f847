"""A sweep as a report: one row of totals for every value."""

from __future__ import annotations

from collections.abc import Sequence

from convcost.analysis import Json
from convcost.analysis.metrics import METRICS
from convcost.analysis.sweep import Sweep, SweepPoint
from convcost.dataclasses import dataclass
from convcost.reports.analysis import inputs_of, title_of, unknown_table
from convcost.reports.document import Column, Document, Kind, Row, Table
from convcost.units import Unit

_BACKWARD = Column(key="backward_macs", title="Backward MACs", kind=Kind.COUNT)
# What a narrow terminal leaves out, the first to go last.
_ORDER = ("macs", "params", "peak_activation_bytes", "flops", "activation_bytes", "bytes_moved", "other_ops")
_SHOWN = tuple(next(metric for metric in METRICS if metric.name == name) for name in _ORDER)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    """One or more models, each at every value."""

    sweeps: tuple[Sweep, ...]

    def documents(self) -> tuple[Document, ...]:
        return tuple(_document(sweep) for sweep in self.sweeps)

    def records(self) -> Table:
        texts = ("target", "swept")
        columns = (
            *(Column(key=key, title=key, kind=Kind.TEXT) for key in texts),
            Column(key="value", title="value", kind=Kind.WHOLE),
            *(Column(key=metric.name, title=metric.label, kind=Kind.COUNT) for metric in METRICS),
            *((_BACKWARD,) if self._with_backward() else ()),
            Column(key="unknown_ops", title="unknown", kind=Kind.WHOLE),
        )
        rows = (self._record(sweep, point) for sweep in self.sweeps for point in sweep.points)
        return Table(columns=columns, rows=tuple(rows))

    def to_json(self) -> Json:
        documents: Sequence[Json] = [sweep.to_json() for sweep in self.sweeps]
        return documents[0] if len(documents) == 1 else {"sweeps": list(documents)}

    def _with_backward(self) -> bool:
        return any(sweep.first.backward is not None for sweep in self.sweeps)

    def _record(self, sweep: Sweep, point: SweepPoint) -> Row:
        analysis = point.analysis
        totals = (metric.total(analysis.totals) for metric in METRICS)
        gradients = (analysis.backward.macs if analysis.backward else None,) if self._with_backward() else ()
        unknown = len(analysis.layers) - analysis.counted
        return (analysis.target, sweep.name, point.value, *totals, *gradients, unknown)


def _document(sweep: Sweep) -> Document:
    first, last = sweep.first, sweep.points[-1].analysis
    shapes = inputs_of(first) if len(sweep.points) == 1 else (f"from {inputs_of(first)[0]}", f"to {inputs_of(last)[0]}")
    return Document(
        title=title_of(first),
        subtitle=shapes,
        tables=(_table(sweep), *unknown_table(sweep.least_counted.unknown)),
        notes=sweep.notes,
        footer=("FLOPs = 2 × MACs + other ops. What is counted: convcost explain macs",),
    )


def _table(sweep: Sweep) -> Table:
    gradients = (_BACKWARD,) if sweep.first.backward is not None else ()
    columns = (
        Column(key=sweep.name, title=sweep.name.capitalize(), kind=Kind.WHOLE),
        *(
            Column(
                key=metric.name,
                title=metric.label,
                kind=Kind.BYTES if metric.unit is Unit.BYTES else Kind.COUNT,
                spare=spare,
            )
            for spare, metric in enumerate(_SHOWN)
        ),
        *gradients,
    )
    least = any(point.analysis.is_lower_bound for point in sweep.points)
    remarks = ("Not everything could be counted: all but params are lower bounds.",) if least else ()
    return Table(columns=columns, rows=tuple(map(_row, sweep.points)), remarks=remarks)


def _row(point: SweepPoint) -> Row:
    analysis = point.analysis
    gradients = (analysis.backward.macs,) if analysis.backward is not None else ()
    return (point.value, *(metric.total(analysis.totals) for metric in _SHOWN), *gradients)
