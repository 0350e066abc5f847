"""Verdicts as a report: each budget, by how much it was kept or missed, and where the cost lies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from convcost import __version__
from convcost.analysis import Json
from convcost.budgets import Cause, Status, Timing, Verdict, Verdicts
from convcost.dataclasses import dataclass
from convcost.reports.analysis import coverage_text, inputs_of, title_of, unknown_table
from convcost.reports.document import Column, Document, Fact, Kind, Row, Table
from convcost.reports.verdict_text import figures, growth_text, how_to_accept, is_per_layer, margin_text
from convcost.units import Unit

_COLUMNS = (
    Column(key="metric", title="Budget", kind=Kind.NAME),
    Column(key="value", title="Value", kind=Kind.FIGURE),
    Column(key="limit", title="Limit", kind=Kind.FIGURE),
    Column(key="status", title="Verdict", kind=Kind.STATUS),
    Column(key="margin", title="Margin", kind=Kind.TEXT),
)
_RECORD_KEYS = ("target", "metric", "unit", "value", "limit", "status", "margin", "model", "budget", "code", "baseline")
_MOST_CAUSES = 10
SEVERAL_SCHEMA = "convcost/checks/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A file of the project, relative to its root; lines and columns count from 1."""

    file: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """The verdicts on one or more models, and those on no model at all: a baseline or a pattern that is missing.

    `places` are the models' own files and lines by name, for findings that nothing else gives a place.
    """

    results: tuple[Verdicts, ...]
    general: tuple[Verdict, ...] = ()
    places: Mapping[str, Place] = field(default_factory=dict)

    def documents(self) -> tuple[Document, ...]:
        general = (Document(title="Without a model", tables=_tables(self.general)),) if self.general else ()
        return (*(_document(result) for result in self.results), *general)

    def records(self) -> Table:
        columns = tuple(Column(key=key, title=key, kind=Kind.TEXT) for key in _RECORD_KEYS)
        rows = [_record(verdict, result) for result in self.results for verdict in result]
        return Table(columns=columns, rows=(*rows, *(_record(verdict) for verdict in self.general)))

    def to_json(self) -> Json:
        if len(self.results) == 1 and not self.general:
            return self.results[0].to_json()
        general: list[Json] = [verdict.to_json() for verdict in self.general]
        return {
            "schema": SEVERAL_SCHEMA,
            "convcost": __version__,
            "checks": [result.to_json() for result in self.results],
            **({"general": general} if general else {}),
        }

    def notes(self) -> tuple[str, ...]:
        """Every model's notes, with its name in front where there are several."""
        several = len(self.results) > 1
        return tuple(
            f"{each.name or each.analysis.target}: {note}" if several else note
            for each in self.results
            for note in notes_of(each)
        )


def _document(result: Verdicts) -> Document:
    analysis, missed = result.analysis, [verdict for verdict in result if verdict.status is not Status.PASS]
    named = f"{result.name}: " if result.name not in ("", analysis.target) else ""
    return Document(
        title=f"{named}{title_of(analysis)}",
        subtitle=(*inputs_of(analysis), *_measured_with(result.timing)),
        tables=(*_tables(result.verdicts), *unknown_table(analysis.unknown)),
        facts=(Fact(label="Coverage", value=coverage_text(analysis)), *_machine(result.timing)),
        notes=notes_of(result),
        footer=tuple(filter(None, (how_to_accept(verdict) for verdict in missed))),
    )


def notes_of(result: Verdicts) -> tuple[str, ...]:
    """What the counting and the measuring have to say, norms folded into convolutions, and that nothing was held."""
    foldings = result.difference.foldings if result.difference else ()
    measured = result.timing.measured if result.timing else None
    made_up = measured.notes if measured else ()
    unheld = () if result.verdicts else ("no budget holds for this model",)
    return (*result.analysis.notes, *(folding.text() for folding in foldings), *made_up, *unheld)


def _measured_with(timing: Timing | None) -> tuple[str, ...]:
    if timing is None or timing.measured is None:
        return ()
    from convcost.latency.wording import setting_text  # 40 ms, for those who measure

    return (setting_text(timing.measured),)


def _machine(timing: Timing | None) -> tuple[Fact, ...]:
    if timing is None or timing.measured is None:
        return ()
    from convcost.latency.wording import health_text

    return (Fact(label="Machine", value=health_text(timing.measured.health)),)


def _tables(verdicts: Iterable[Verdict]) -> tuple[Table, ...]:
    listed = tuple(verdicts)
    if not listed:
        return ()
    missed = [verdict for verdict in listed if verdict.status is not Status.PASS]
    overview = Table(
        columns=_COLUMNS,
        rows=tuple(_row(verdict) for verdict in listed),
        remarks=tuple(remark for verdict in missed for remark in _remarks(verdict)),
    )
    # A limit on the total and one on growth are often missed for one reason.
    return (overview, *dict.fromkeys(_causes(verdict) for verdict in missed if verdict.causes))


def _remarks(verdict: Verdict) -> Iterator[str]:
    """What the row has no room for: the code, the reason, the project's own message, and the line of the config."""
    code = f"{verdict.code.name} " if verdict.code else ""
    reason = "; ".join(filter(None, (growth_text(verdict), verdict.reason if verdict.margin is not None else "")))
    where = f"({verdict.budget.terms.where})" if verdict.budget.terms.where else ""
    said = " ".join(text for text in (reason, verdict.budget.terms.message, where) if text)
    yield f"{code}{verdict.budget.subject}: {said}" if said else f"{code}{verdict.budget.subject}"


def _row(verdict: Verdict) -> Row:
    status = verdict.status.value.replace("_", " ").upper()
    return (verdict.budget.subject, *figures(verdict), status, margin_text(verdict))


def _causes(verdict: Verdict) -> Table:
    metric = verdict.budget.metric
    kind = Kind.BYTES if metric.unit is Unit.BYTES else Kind.COUNT
    compared = any(cause.reason or cause.baseline is not None for cause in verdict.causes)
    columns = (
        Column(key="layer", title="Layer", kind=Kind.NAME),
        Column(key="kind", title="Kind", kind=Kind.TEXT),
        *((Column(key="baseline", title="Was", kind=kind),) if compared else ()),
        Column(key=metric.name, title=metric.label, kind=kind),
        Column(key="share", title="Share", kind=Kind.PERCENT),
        *((Column(key="reason", title="Why", kind=Kind.TEXT),) if compared else ()),
    )
    rows = tuple(_cause_row(cause, verdict, compared=compared) for cause in verdict.causes[:_MOST_CAUSES])
    more = len(verdict.causes) - len(rows)
    return Table(
        columns=columns,
        rows=rows,
        title=_causes_title(verdict),
        remarks=(f"and {more} more",) if more else (),
    )


def _cause_row(cause: Cause, verdict: Verdict, *, compared: bool) -> Row:
    share = cause.value / verdict.value if verdict.value and not is_per_layer(verdict) else None
    lead: Row = (cause.layer.name, cause.layer.node.op.kind)
    return (*lead, cause.baseline, cause.value, share, cause.reason) if compared else (*lead, cause.value, share)


def _causes_title(verdict: Verdict) -> str:
    metric = verdict.budget.metric.name
    if is_per_layer(verdict):
        return f"Layers over the limit of {metric}"
    grown = any(cause.value != cause.baseline and cause.reason for cause in verdict.causes)
    return f"Where the {metric} grew" if grown else f"Where the {metric} are: the costliest layers"


def _record(verdict: Verdict, result: Verdicts | None = None) -> Row:
    metric, target = verdict.budget.metric, result.analysis.target if result else ""
    numbers = (verdict.value, verdict.limit, verdict.status.value, verdict.margin)
    model = (result.name or target) if result else ""
    code = verdict.code.name if verdict.code else ""
    return (target, metric.name, metric.unit.value, *numbers, model, verdict.budget.subject, code, verdict.baseline)
