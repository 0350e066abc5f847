"""What bounds each alternative on a device, beside what it costs and, where it was measured, what it took."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from convcost.alternatives import Candidate, Comparison
from convcost.analysis import Json
from convcost.dataclasses import dataclass
from convcost.latency import CandidateLatencies, Device, Measurement, Roofline, chain_roofline
from convcost.latency.wording import time_text
from convcost.reports.document import Column, Document, Kind, Report, Row, Table
from convcost.reports.roofline import device_remarks

_COLUMNS = (
    Column(key="layer", title="Layer", kind=Kind.NAME, spare=1),
    Column(key="alternative", title="Alternative", kind=Kind.TEXT),
    Column(key="bound", title="Bound", kind=Kind.TEXT),
    Column(key="attainable", title="Roofline", kind=Kind.FIGURE),
)
_REACHED = Column(key="reached", title="Reached", kind=Kind.PERCENT)
_RECORD_COLUMNS = (
    Column(key="bound", title="bound", kind=Kind.TEXT),
    Column(key="attainable_ms", title="attainable_ms", kind=Kind.RATE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RooflineComparisonReport:
    """Another report of the same comparison, and a table of what bounds its alternatives."""

    inner: Report
    comparison: Comparison
    device: Device
    latencies: tuple[CandidateLatencies, ...] = ()

    def documents(self) -> tuple[Document, ...]:
        measured = bool(self.latencies)
        table = Table(
            title=f"On {self.device.name}",
            columns=(*_COLUMNS, *([_REACHED] if measured else [])),
            rows=tuple(self._rows()),
            remarks=tuple(device_remarks(self.device, measured=measured)),
        )
        return tuple(replace(document, tables=(*document.tables, table)) for document in self.inner.documents())

    def records(self) -> Table:
        table = self.inner.records()
        limits = [_limit(each, self.device) for layer in self.comparison.layers for each in layer.candidates]
        cells = [(limit.bound, 1000 * limit.attainable) if limit else (None, None) for limit in limits]
        rows = tuple((*row, *cell) for row, cell in zip(table.rows, cells, strict=True))
        return replace(table, columns=(*table.columns, *_RECORD_COLUMNS), rows=rows)

    def to_json(self) -> Json:
        document = cast("dict[str, Json]", self.inner.to_json())
        layers = cast("list[dict[str, list[dict[str, Json]]]]", document["layers"])
        for described, layer in zip(layers, self.comparison.layers, strict=True):
            for alternative, candidate in zip(described["alternatives"], layer.candidates, strict=True):
                limit = _limit(candidate, self.device)
                alternative["roofline"] = limit.to_json() if limit else None
        return {**document, "device": {"name": self.device.name, "source": self.device.source}}

    def _rows(self) -> Iterator[Row]:
        for number, layer in enumerate(self.comparison.layers):
            for position, candidate in enumerate(layer.candidates):
                limit = _limit(candidate, self.device)
                if candidate.is_applicable:
                    shown = (limit.bound, time_text(limit.attainable)) if limit else ("no peak known", None)
                    yield (layer.name, candidate.label, *shown, *self._reached(number, position, limit))

    def _reached(self, number: int, position: int, limit: Roofline | None) -> Row:
        """Nothing without a measurement, or where noise leaves no figure."""
        if not self.latencies:
            return ()
        found = self.latencies[number].candidates[position]
        if limit is None or not isinstance(found, Measurement) or found.is_noisy:
            return (None,)
        return (limit.share_reached(found.median),)


def _limit(candidate: Candidate, device: Device) -> Roofline | None:
    return chain_roofline([stage.node for stage in candidate.stages], device)
