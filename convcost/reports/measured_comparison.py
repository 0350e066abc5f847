"""A comparison whose layers were measured: times beside the costs, and what came of the savings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

from convcost.analysis import Json
from convcost.dataclasses import dataclass
from convcost.latency import CandidateLatencies, Device, Measurement, NotMeasurable
from convcost.latency.wording import health_text, latency_text, runtime_text, saving_text
from convcost.reports.comparison import ComparisonReport
from convcost.reports.document import Column, Document, Kind, Row, Table
from convcost.reports.measured_totals import summed_json, summed_table

_COLUMNS = (
    Column(key="layer", title="Layer", kind=Kind.NAME, spare=3),
    Column(key="alternative", title="Alternative", kind=Kind.TEXT),
    Column(key="macs", title="MACs", kind=Kind.COUNT, spare=2),
    Column(key="latency", title="Latency", kind=Kind.TEXT),
    Column(key="speed_up", title="Speed-up", kind=Kind.TIMES),
    Column(key="verdict", title="Verdict", kind=Kind.TEXT, spare=1),
)
_RECORD_COLUMNS = (
    Column(key="median_ms", title="median_ms", kind=Kind.RATE),
    Column(key="p10_ms", title="p10_ms", kind=Kind.RATE),
    Column(key="p90_ms", title="p90_ms", kind=Kind.RATE),
    Column(key="converged", title="converged", kind=Kind.TEXT),
    Column(key="verdict", title="verdict", kind=Kind.TEXT),
)
_MOST_REASONS = 10
_LEGEND = "Speed-up: how many times faster than the layer as it is, each measured in turn with the others."


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredComparisonReport:
    """The costs' own report, and the latencies of its layers in their order; `device` tells what bounds them."""

    costs: ComparisonReport
    latencies: tuple[CandidateLatencies, ...]
    device: Device | None = None

    @property
    def partial(self) -> bool:
        """Whether the user broke the measurement off."""
        return any(each.interrupted for each in self.latencies)

    def documents(self) -> tuple[Document, ...]:
        title = f"Measured{': partial, interrupted' if self.partial else ''}"
        table = Table(
            title=title, columns=_COLUMNS, rows=tuple(self._rows()), remarks=tuple(dict.fromkeys(self._remarks()))
        )
        return tuple(
            replace(
                document,
                tables=(*document.tables, table, *summed_table(self.latencies)),
                notes=(*document.notes, *self._own_notes()),
                footer=(_LEGEND, *document.footer),
            )
            for document in self.costs.documents()
        )

    def records(self) -> Table:
        table = self.costs.records()
        latencies = (each for layer in self.latencies for each in _record(layer, self.device))
        rows = tuple((*row, *latency) for row, latency in zip(table.rows, latencies, strict=True))
        return replace(table, columns=(*table.columns, *_RECORD_COLUMNS), rows=rows)

    def to_json(self) -> Json:
        document = self.costs.comparison.to_json()
        layers = cast("list[dict[str, list[dict[str, Json]]]]", document["layers"])
        for layer, latencies in zip(layers, self.latencies, strict=True):
            for position, alternative in enumerate(layer["alternatives"]):
                alternative.update(_alternative_json(latencies, position, self.device))
        totals = cast("list[dict[str, Json]]", document["totals"])
        for total, latency in zip(totals, summed_json(self.latencies), strict=True):
            total.update(latency)
        return {**document, "partial": self.partial}

    def notes(self) -> tuple[str, ...]:
        """The counting's notes, what was made up to run the layers, and why figures deserve doubt."""
        return (*self.costs.comparison.notes, *self._own_notes())

    def _own_notes(self) -> tuple[str, ...]:
        found = [note for each in self._measurements() for note in each.notes]
        doubts = [f"doubtful: {each}" for one in self._measurements() for each in one.health.complaints]
        return tuple(dict.fromkeys([*found, *doubts]))

    def _remarks(self) -> Iterator[str]:
        """Why some were not measured, then what the others were measured on."""
        yield from self._reasons()
        yield from (runtime_text(each) for each in self._measurements())
        if len({id(each.standard) for each in self.latencies}) < len(self.latencies):
            yield "Equal convolutions on equal maps were measured once."
        if last := list(self._measurements())[-1:]:
            yield f"machine: {health_text(last[0].health)}"

    def _reasons(self) -> Iterator[str]:
        found = {
            f"{candidate.label}: not measured: {latency.reason}": None
            for each in self.latencies
            for candidate, latency in zip(each.layer.candidates, each.candidates, strict=True)
            if candidate.is_applicable and isinstance(latency, NotMeasurable)
        }
        yield from list(found)[:_MOST_REASONS]
        if len(found) > _MOST_REASONS:
            yield f"… {len(found) - _MOST_REASONS} more reasons of this kind: -f csv"

    def _measurements(self) -> Iterator[Measurement]:
        every = (found for layer in self.latencies for found in (layer.standard, *layer.candidates))
        return (found for found in every if isinstance(found, Measurement))

    def _rows(self) -> Iterator[Row]:
        for latencies in self.latencies:
            for position, candidate in enumerate(latencies.layer.candidates):
                if candidate.is_applicable:
                    yield (
                        latencies.layer.name,
                        candidate.label,
                        candidate.cost.macs,
                        latency_text(latencies.candidates[position]),
                        _speed_up(latencies, position),
                        self._verdict(latencies, position),
                    )

    def _verdict(self, latencies: CandidateLatencies, position: int) -> str | None:
        """Where there is no time to set beside another, what was hoped for alone: a reason would widen the column."""
        found = latencies.candidates[position]
        if not any(isinstance(each, NotMeasurable) for each in (latencies.standard, found)):
            return _verdict(latencies, position, self.device)
        if found is latencies.standard:
            return None
        return saving_text(latencies.layer.standard.cost.macs, latencies.layer.candidates[position].cost.macs)


def _verdict(latencies: CandidateLatencies, position: int, device: Device | None) -> str | None:
    """None for the layer as it is, and for what does not apply, whose reason the costs tell."""
    candidate = latencies.layer.candidates[position]
    if not candidate.is_applicable:
        return None
    found = latencies.candidates[position]
    if found is latencies.standard:
        return f"not measured: {found.reason}" if isinstance(found, NotMeasurable) else None
    return latencies.verdict(position, device)


def _speed_up(latencies: CandidateLatencies, position: int) -> float | str:
    """A dash where noise leaves no figure, or something was not measured."""
    match latencies.standard, latencies.candidates[position]:
        case Measurement() as before, Measurement() as after if not (before.is_noisy or after.is_noisy):
            return before.median / after.median
        case _:
            return "–"


def _alternative_json(latencies: CandidateLatencies, position: int, device: Device | None) -> dict[str, Json]:
    found = latencies.candidates[position]
    return {
        "latency": found.summary_json() if isinstance(found, Measurement) else None,
        "not_measured": found.to_json() if isinstance(found, NotMeasurable) else None,
        "verdict": _verdict(latencies, position, device),
    }


def _record(latencies: CandidateLatencies, device: Device | None) -> Iterator[Row]:
    for position, found in enumerate(latencies.candidates):
        verdict = _verdict(latencies, position, device)
        if isinstance(found, Measurement):
            times = (1000 * found.median, 1000 * found.p10, 1000 * found.p90)
            yield (*times, "yes" if found.samples.converged else "no", verdict)
        else:
            yield (None, None, None, None, verdict)
