"""What bounds each layer on a device, beside what it costs and, where it was measured, what it took."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import cast

from convcost.analysis import Analysis, Json, Layer
from convcost.dataclasses import dataclass
from convcost.latency import Device, LayerLatencies, Roofline, chain_roofline, node_roofline
from convcost.latency.wording import time_text
from convcost.reports.document import Column, Document, Kind, Report, Row, Table
from convcost.reports.view import View, members_of, select

_COLUMNS = (
    Column(key="bound", title="Bound", kind=Kind.TEXT),
    Column(key="attainable", title="Roofline", kind=Kind.FIGURE),
    Column(key="reached", title="Reached", kind=Kind.PERCENT),
)
_RECORD_COLUMNS = (
    Column(key="bound", title="bound", kind=Kind.TEXT),
    Column(key="attainable_ms", title="attainable_ms", kind=Kind.RATE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RooflineReport:
    """Another report of the same analyses, with what bounds their layers; `times` are the layers' where measured."""

    inner: Report
    analyses: tuple[Analysis, ...]
    view: View
    device: Device
    times: tuple[LayerLatencies | None, ...]

    def documents(self) -> tuple[Document, ...]:
        parts = zip(self.inner.documents(), self.analyses, self.times, strict=True)
        return tuple(self._document(document, analysis, times) for document, analysis, times in parts)

    def records(self) -> Table:
        """The same rows with the bound and the attainable milliseconds."""
        table = self.inner.records()
        complete = replace(self.view, every_row=True)
        cells: list[Row] = []
        for analysis in self.analyses:
            limits = [*_limits(analysis, complete, self.device), *_unused_row(analysis)]
            cells += [(limit.bound, 1000 * limit.attainable) if limit else (None, None) for limit in limits]
        rows = tuple((*row, *cell) for row, cell in zip(table.rows, cells, strict=True))
        return replace(table, columns=(*table.columns, *_RECORD_COLUMNS), rows=rows)

    def to_json(self) -> Json:
        whole = self.inner.to_json()
        documents = whole["analyses"] if isinstance(whole, dict) and "analyses" in whole else [whole]
        for document, analysis in zip(cast("list[dict[str, Json]]", documents), self.analyses, strict=True):
            document["device"] = {"name": self.device.name, "source": self.device.source}
            for described, layer in zip(
                cast("list[dict[str, Json]]", document["layers"]), analysis.layers, strict=True
            ):
                limit = _limit([layer], self.device)
                described["roofline"] = limit.to_json() if limit else None
        return whole

    def _document(self, document: Document, analysis: Analysis, times: LayerLatencies | None) -> Document:
        first, *others = document.tables
        limits = [*_limits(analysis, self.view, self.device)]
        seconds = _seconds(analysis, self.view, times)
        cells = [_cells(limit, taken) for limit, taken in zip(limits, seconds, strict=True)]
        missing = len(first.rows) + len(first.summary) - 1 - len(cells)
        whole = _cells(_limit(analysis.layers, self.device), times.total if times else None)
        return replace(document, tables=(_widened(first, [*cells, *[_NOTHING] * missing, whole], self.device), *others))


_NOTHING: Row = (None, None, None)


def _widened(table: Table, cells: Sequence[Row], device: Device) -> Table:
    """The cells in front of the parameters; a column without any value is left out."""
    kept = [at for at in range(len(_COLUMNS)) if any(cell[at] is not None for cell in cells)]
    place = next(position for position, column in enumerate(table.columns) if column.key == "params")
    rows = [
        (*row[:place], *(cell[at] for at in kept), *row[place:])
        for row, cell in zip((*table.rows, *table.summary), cells, strict=True)
    ]
    columns = (*table.columns[:place], *(_COLUMNS[at] for at in kept), *table.columns[place:])
    return replace(
        table,
        columns=columns,
        rows=tuple(rows[: len(table.rows)]),
        summary=tuple(rows[len(table.rows) :]),
        remarks=(*table.remarks, *device_remarks(device, measured=2 in kept)),
    )


def device_remarks(device: Device, *, measured: bool) -> Iterable[str]:
    """Whose peaks the roofline is made of, and how to read what comes out of it."""
    yield f"Roofline: the time that arithmetic or memory traffic takes at best on {device.name} ({_source(device)})."
    if measured:
        yield "Reached: roofline / measured; above 100 % data stayed in a cache, or the peaks were measured too low."


def _source(device: Device) -> str:
    threads = "" if device.threads is None else f", {device.threads} thread{'s' if device.threads > 1 else ''}"
    return f"{device.source or 'no source given'}{threads}"


def _limits(analysis: Analysis, view: View, device: Device) -> Iterable[Roofline | None]:
    """One for each shown entry, and one for what is not shown, where there is any."""
    selection = select(analysis, view)
    members = [members_of(entry, analysis, view) for entry in selection.shown]
    yield from (_limit(layers, device) for layers in members)
    if selection.rest.layers:
        shown = {layer.name for layers in members for layer in layers}
        yield _limit([layer for layer in analysis.layers if layer.name not in shown], device)


def _unused_row(analysis: Analysis) -> list[None]:
    """Stored tensors that no layer uses have a row, and no time."""
    return [None] if analysis.unused.params or analysis.unused.buffers else []


def _limit(layers: Sequence[Layer], device: Device) -> Roofline | None:
    """Of the layers whose peak is known; what is not known can only add to the least time."""
    nodes = [layer.node for layer in layers]
    known = [node for node in nodes if (limit := node_roofline(node, device)) is not None and limit.attainable > 0]
    return chain_roofline(known, device)


def _seconds(analysis: Analysis, view: View, times: LayerLatencies | None) -> Iterable[float | None]:
    """The measured time of each shown entry, and of what is not shown."""
    selection = select(analysis, view)
    taken = {name: found.median for name, found in times.layers.items()} if times else {}
    shown = [sum(taken.pop(each.name, 0.0) for each in members_of(e, analysis, view)) for e in selection.shown]
    rest = [sum(taken.values())] if selection.rest.layers else []
    return [seconds or None for seconds in (*shown, *rest)]


def _cells(limit: Roofline | None, seconds: float | None) -> Row:
    if limit is None:
        return _NOTHING
    return (limit.bound, time_text(limit.attainable), limit.share_reached(seconds) if seconds else None)
