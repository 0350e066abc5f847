"""Measured models as a report: the time of each, what it was measured on, and what it is beside the first."""

from __future__ import annotations

from convcost import __version__
from convcost.analysis import Analysis, Json
from convcost.dataclasses import dataclass
from convcost.latency import Measurement, NotMeasurable, Setting
from convcost.latency.wording import health_text, latency_text, setting_text, spread_text, verdict_text
from convcost.reports.analysis import coverage_text, inputs_of, title_of
from convcost.reports.document import Column, Document, Fact, Kind, Row, Table
from convcost.units import Unit, format_quantity

SCHEMA = "convcost/measurement/1"

_RECORD_KEYS = {
    "target": Kind.TEXT,
    "runtime": Kind.TEXT,
    "device": Kind.TEXT,
    "threads": Kind.WHOLE,
    "macs": Kind.COUNT,
    "median_ms": Kind.RATE,
    "p10_ms": Kind.RATE,
    "p90_ms": Kind.RATE,
    "samples": Kind.WHOLE,
    "converged": Kind.TEXT,
    "partial": Kind.TEXT,
    "reason": Kind.TEXT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredModel:
    """What a model costs and how long it took, or why it was not measured in that setting."""

    analysis: Analysis
    setting: Setting
    latency: Measurement | NotMeasurable

    @property
    def measured(self) -> Measurement | None:
        return self.latency if isinstance(self.latency, Measurement) else None

    @property
    def refusal(self) -> NotMeasurable | None:
        return self.latency if isinstance(self.latency, NotMeasurable) else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the counting says, what was made up to run it, and why the figures deserve doubt."""
        measured = self.measured
        told = (*measured.notes, *(f"doubtful: {each}" for each in measured.complaints)) if measured else ()
        return (*self.analysis.notes, *told)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementReport:
    """Models in the order asked for. With `partial`, the user broke the measurement off."""

    models: tuple[MeasuredModel, ...]
    partial: bool = False

    def documents(self) -> tuple[Document, ...]:
        return tuple(self._document(model) for model in self.models)

    def records(self) -> Table:
        columns = tuple(Column(key=key, title=key, kind=kind) for key, kind in _RECORD_KEYS.items())
        return Table(columns=columns, rows=tuple(map(_record, self.models)))

    def to_json(self) -> Json:
        documents: list[Json] = [self._one_json(model) for model in self.models]
        return documents[0] if len(documents) == 1 else {"measurements": documents}

    def notes(self) -> tuple[str, ...]:
        """Every model's notes, with its name in front where there are several."""
        several = len(self.models) > 1
        return tuple(
            f"{model.analysis.target}: {note}" if several else note for model in self.models for note in model.notes
        )

    def _document(self, model: MeasuredModel) -> Document:
        measured = model.measured
        beside = self._beside(model)
        verdict = (Fact(label="Verdict", value=f"{beside[1]} (beside {beside[0]})"),) if beside else ()
        return Document(
            title=f"{title_of(model.analysis)}{': partial, interrupted' if self.partial else ''}",
            subtitle=(*inputs_of(model.analysis), *((setting_text(measured),) if measured else ())),
            facts=(*_facts(model), *verdict),
            notes=model.notes,
        )

    def _beside(self, model: MeasuredModel) -> tuple[str, str] | None:
        """The first model measured in the same setting, and in words what this one is beside it."""
        first = next(each for each in self.models if each.setting == model.setting)
        if first is model or first.measured is None or model.measured is None:
            return None
        macs = first.analysis.totals.macs, model.analysis.totals.macs
        return first.analysis.target, verdict_text(macs=macs, latencies=(first.latency, model.latency))

    def _one_json(self, model: MeasuredModel) -> dict[str, Json]:
        analysis, beside = model.analysis.to_json(), self._beside(model)
        return {
            "schema": SCHEMA,
            "convcost": __version__,
            **{key: analysis[key] for key in ("source", "inputs", "totals", "coverage")},
            "partial": self.partial,
            "notes": list(model.notes),
            "latency": model.measured.to_json() if model.measured else None,
            "not_measured": model.refusal.to_json() if model.refusal else None,
            "beside": {"target": beside[0], "verdict": beside[1]} if beside else None,
        }


def _facts(model: MeasuredModel) -> tuple[Fact, ...]:
    measured, macs = model.measured, model.analysis.totals.macs
    refused = f": {model.refusal.reason}" if model.refusal else ""
    latency = Fact(label="Latency", value=f"{latency_text(model.latency)}{refused}")
    counted = Fact(label="MACs", value=macs, remark="multiply-accumulates", lower_bound=model.analysis.is_lower_bound)
    coverage = Fact(label="Coverage", value=coverage_text(model.analysis))
    if measured is None:
        return (latency, counted, coverage)
    least = "at least " if model.analysis.is_lower_bound else ""
    rate = Fact(label="MACs/s", value=f"{least}{format_quantity(int(macs / measured.median), Unit.COUNT)}")
    return (
        latency,
        Fact(label="p10 to p90", value=spread_text(measured)),
        *(() if measured.is_noisy else (rate,)),
        Fact(label="Machine", value=health_text(measured.health)),
        counted,
        coverage,
    )


def _record(model: MeasuredModel) -> Row:
    setting, macs = model.setting, model.analysis.totals.macs
    lead = (model.analysis.target, setting.runtime, setting.device, setting.threads, macs)
    if (measured := model.measured) is None:
        return (*lead, *(None,) * 6, model.refusal.reason if model.refusal else None)
    times = (1000 * measured.median, 1000 * measured.p10, 1000 * measured.p90)
    samples = measured.samples
    return (*lead, *times, len(samples.times), _yes(samples.converged), _yes(samples.partial), None)


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"
