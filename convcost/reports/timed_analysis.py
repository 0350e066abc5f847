"""Analyses that were measured as well: where the time goes, layer by layer, beside where the arithmetic goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import cast

from convcost.analysis import Analysis, Json
from convcost.dataclasses import dataclass
from convcost.latency import INTERRUPTED_PROFILE, LayerLatencies, Measurement, NotMeasurable, was_interrupted
from convcost.latency.wording import health_text, latency_text, setting_text, time_text
from convcost.reports.analysis import AnalysisReport
from convcost.reports.document import Column, Document, Fact, Kind, Row, Table, Value
from convcost.reports.view import Entry, View, members_of, select

_SHARED = "shared"
_OUTSIDE = "(outside all layers)"
_RECORD_COLUMN = Column(key="latency_ms", title="latency_ms", kind=Kind.RATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedModel:
    """A model's whole latency, and what its layers took of it, each where it could be measured."""

    analysis: Analysis
    total: Measurement | NotMeasurable
    layers: LayerLatencies | NotMeasurable

    @property
    def interrupted(self) -> bool:
        """Whether the user broke off the measurement, or the profiled run after it."""
        return was_interrupted({"": self.total}) or self.layers == INTERRUPTED_PROFILE

    @property
    def notes(self) -> tuple[str, ...]:
        """What the counting says, what was made up to run it, and why figures deserve doubt, or are not there."""
        found = [*self.analysis.notes]
        match self.total, self.layers:
            case NotMeasurable(reason=reason), _:
                found.append(f"not measured: {reason}")
            case Measurement() as total, layers:
                found += [*total.notes, *(f"doubtful: {each}" for each in total.complaints)]
                found += layers.notes if isinstance(layers, LayerLatencies) else [f"no time per layer: {layers.reason}"]
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedAnalysisReport:
    """The analyses' own report, and for each of its models the times."""

    costs: AnalysisReport
    models: tuple[TimedModel, ...]

    @property
    def partial(self) -> bool:
        """Whether the user broke it off."""
        return any(model.interrupted for model in self.models)

    def documents(self) -> tuple[Document, ...]:
        view = self.costs.view
        return tuple(
            _timed_document(document, model, view, partial=self.partial)
            for document, model in zip(self.costs.documents(), self.models, strict=True)
        )

    def records(self) -> Table:
        """The layers' rows with their milliseconds; a time that belongs to no layer is in no row."""
        table = self.costs.records()
        times: list[float | None] = []
        for model in self.models:
            own = replace(self.costs, analyses=(model.analysis,)).records().rows
            found = _row_times(model, replace(self.costs.view, every_row=True), len(own))
            times += [each * 1000 if isinstance(each, float) else None for each in found]
        rows = tuple((*row, each) for row, each in zip(table.rows, times, strict=True))
        return replace(table, columns=(*table.columns, _RECORD_COLUMN), rows=rows)

    def to_json(self) -> Json:
        whole = self.costs.to_json()
        documents = whole["analyses"] if isinstance(whole, dict) and "analyses" in whole else [whole]
        for document, model in zip(cast("list[dict[str, Json]]", documents), self.models, strict=True):
            document.update(_model_json(model), partial=self.partial)
            if isinstance(model.layers, LayerLatencies):
                for layer in cast("list[dict[str, Json]]", document["layers"]):
                    layer["latency"] = model.layers.layer_json(str(layer["name"]))
        return whole

    def notes(self) -> tuple[str, ...]:
        """Every model's notes, with its name in front where there are several."""
        several = len(self.models) > 1
        return tuple(
            f"{model.analysis.target}: {note}" if several else note for model in self.models for note in model.notes
        )


def _model_json(model: TimedModel) -> dict[str, Json]:
    total, layers = model.total, model.layers
    return {
        "latency": total.to_json() if isinstance(total, Measurement) else None,
        "not_measured": total.to_json() if isinstance(total, NotMeasurable) else None,
        "layer_latency": layers.to_json() if isinstance(layers, LayerLatencies) else None,
    }


def _timed_document(document: Document, model: TimedModel, view: View, *, partial: bool) -> Document:
    first, *others = document.tables
    total = model.total
    latency = Fact(label="Latency", value=latency_text(total))
    machine = (Fact(label="Machine", value=health_text(total.health)),) if isinstance(total, Measurement) else ()
    return replace(
        document,
        title=f"{document.title}{': partial, interrupted' if partial else ''}",
        subtitle=(*document.subtitle, *([setting_text(total)] if isinstance(total, Measurement) else [])),
        tables=(_timed_table(first, model, view), *others),
        facts=(latency, *document.facts, *machine),
        notes=model.notes,
    )


def _timed_table(table: Table, model: TimedModel, view: View) -> Table:
    """The table with a column of times, which add up to the total as its other columns do."""
    layers, total = model.layers, model.total
    if not isinstance(layers, LayerLatencies) or not isinstance(total, Measurement):
        return table
    times = _row_times(model, view, len(table.rows) + len(table.summary) - 1)
    digits = 1 if total.is_noisy else 2 if total.has_few_samples or layers.is_approximate else 3
    shown = [_time_cell(each, digits, approximate=layers.is_approximate) for each in times]
    at = next(position for position, column in enumerate(table.columns) if column.key == "params")
    title = "Latency\n(approximate)" if layers.is_approximate else "Latency"
    outside: Row = (_OUTSIDE, *[None] * (len(table.columns) - 1))
    whole = _time_cell(layers.total, digits, approximate=False)
    rest = _time_cell(layers.unattributed, digits, approximate=layers.is_approximate)
    behind = [*table.summary[:-1], outside, table.summary[-1]]
    summary = zip(behind, [*shown[len(table.rows) :], rest, whole], strict=True)
    return replace(
        table,
        columns=(*table.columns[:at], Column(key="latency", title=title, kind=Kind.FIGURE), *table.columns[at:]),
        rows=tuple(_with(row, at, cell) for row, cell in zip(table.rows, shown, strict=False)),
        summary=tuple(_with(row, at, cell) for row, cell in summary if row is not outside or layers.unattributed > 0),
        remarks=(*table.remarks, *_remarks(layers, shown)),
    )


def _with(row: Row, at: int, cell: Value) -> Row:
    return (*row[:at], cell, *row[at:])


def _time_cell(seconds: float | str | None, digits: int, *, approximate: bool) -> str | None:
    if not isinstance(seconds, float):
        return seconds
    return f"{'~' if approximate else ''}{time_text(seconds, digits)}"


def _remarks(layers: LayerLatencies, shown: Sequence[Value]) -> Iterable[str]:
    yield (
        f"Time per layer: from a profiled run that took {layers.overhead:.0%} longer, scaled to the total"
        f"{'; above 25 % it is approximate' if layers.is_approximate else ''}."
    )
    if _SHARED in shown:
        yield f"{_SHARED}: timed together with another layer, often because it is fused into it."


def _row_times(model: TimedModel, view: View, rows: int) -> list[float | str | None]:
    """Seconds of the shown entries and of those rows behind them that stand for several layers."""
    layers = model.layers
    if not isinstance(layers, LayerLatencies):
        return [None] * rows
    seconds = {name: found.median for name, found in layers.layers.items()}
    selection = select(model.analysis, view)
    shown = [
        _entry_time(entry, [layer.name for layer in members_of(entry, model.analysis, view)], seconds, layers)
        for entry in selection.shown
    ]
    told = sum(each for each in shown if isinstance(each, float))
    rest = [float(max(sum(seconds.values()) - told, 0.0))] if selection.rest.layers else []
    found = [*shown, *rest]
    return [*found, *[None] * (rows - len(found))]


def _entry_time(entry: Entry, members: Sequence[str], seconds: dict[str, float], layers: LayerLatencies) -> float | str:
    """A dash for what nothing ran for, as of a layer that a runtime computed beforehand."""
    own = [seconds[name] for name in members if name in seconds]
    if own:
        return float(sum(own))
    return _SHARED if any(name in layers.timed_with for name in members) else "–"
