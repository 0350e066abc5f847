"""Analyses with a second opinion: the report on the costs, and where another counter differs, with the reasons."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from convcost.analysis import Json
from convcost.analysis.cross_check import PEERS, CrossCheck, Disagreement
from convcost.dataclasses import dataclass
from convcost.reports.analysis import AnalysisReport
from convcost.reports.document import Column, Document, Kind, Row, Table
from convcost.reports.view import View
from convcost.units import Unit, format_quantity

_MOST_ROWS = 12
_UNEXPLAINED = "unexplained"
_EVERY_LAYER = View()


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossCheckReport:
    """One or more models, all asked about of the same peer."""

    checks: tuple[CrossCheck, ...]
    view: View = _EVERY_LAYER

    def documents(self) -> tuple[Document, ...]:
        return tuple(
            replace(document, tables=(*document.tables, *_tables(check, every_row=self.view.every_row)))
            for document, check in zip(self._costs().documents(), self.checks, strict=True)
        )

    def records(self) -> Table:
        """The modules that differ, every one of them; what each layer costs is in the CSV of `analyze` itself."""
        texts = ("target", "module", "peer")
        columns = (
            *(Column(key=key, title=key, kind=Kind.TEXT) for key in texts),
            *(Column(key=key, title=key, kind=Kind.COUNT) for key in ("macs", "theirs", _UNEXPLAINED)),
            Column(key="reasons", title="reasons", kind=Kind.TEXT),
        )
        rows = (
            (
                check.analysis.target,
                each.module,
                check.opinion.peer,
                each.ours,
                each.theirs,
                each.unexplained,
                _why(each),
            )
            for check in self.checks
            for each in check.disagreements
        )
        return Table(columns=columns, rows=tuple(rows))

    def to_json(self) -> Json:
        whole = self._costs().to_json()
        documents = whole["analyses"] if isinstance(whole, dict) and "analyses" in whole else [whole]
        for document, check in zip(documents if isinstance(documents, list) else (), self.checks, strict=True):
            if isinstance(document, dict):
                document["cross_check"] = check.to_json()
        return whole

    def _costs(self) -> AnalysisReport:
        return AnalysisReport(analyses=tuple(check.analysis for check in self.checks), view=self.view)


def _tables(check: CrossCheck, *, every_row: bool) -> tuple[Table, ...]:
    opinion = check.opinion
    where = "without values" if opinion.ran_on == "meta" else "on values"
    title = f"Second opinion: {PEERS[opinion.peer]}, version {opinion.version}, run {where}"
    modules = _modules(check, title, every_row)
    return (modules, _reasons(check)) if check.disagreements else (modules,)


def _modules(check: CrossCheck, title: str, every_row: bool) -> Table:
    found = check.disagreements
    most = len(found) if every_row else _MOST_ROWS
    largest = sorted(found, key=lambda each: (each.unexplained == 0, -abs(each.theirs - each.ours)))[:most]
    kept = {each.module for each in largest}
    rest = [each for each in found if each.module not in kept]
    ours, theirs = check.analysis.totals.macs, check.opinion.total
    alike = ours - sum(each.ours for each in found)
    summary = (
        *((_added_up(f"… {len(rest)} more modules", rest),) if rest else ()),
        (f"{check.agreeing} modules counted alike", alike, alike, "", ""),
        ("Total", ours, theirs, _signed(theirs - ours), "" if found else "no module differs"),
    )
    return Table(
        columns=(
            Column(key="module", title="Module", kind=Kind.NAME),
            Column(key="macs", title="convcost", kind=Kind.COUNT),
            Column(key="theirs", title=check.opinion.peer, kind=Kind.COUNT),
            Column(key="difference", title="Difference", kind=Kind.FIGURE),
            Column(key="reasons", title="Reason", kind=Kind.TEXT, spare=1),
        ),
        rows=tuple(_row(each) for each in found if each.module in kept),
        summary=summary,
        title=title,
    )


def _row(each: Disagreement) -> Row:
    return (each.module or "(the model itself)", each.ours, each.theirs, _signed(each.theirs - each.ours), _why(each))


def _added_up(name: str, several: Sequence[Disagreement]) -> Row:
    ours, theirs = sum(each.ours for each in several), sum(each.theirs for each in several)
    return (name, ours, theirs, _signed(theirs - ours), "")


def _reasons(check: CrossCheck) -> Table:
    amounts: dict[str, list[int]] = defaultdict(list)
    for each in check.disagreements:
        for reason in each.reasons:
            amounts[reason.text].append(reason.amount)
        if each.unexplained:
            amounts[_UNEXPLAINED].append(each.unexplained)
    ordered = sorted(amounts.items(), key=lambda item: -abs(sum(item[1])))
    return Table(
        columns=(
            Column(key="reason", title=f"Why {check.opinion.peer} differs", kind=Kind.TEXT),
            Column(key="modules", title="Modules", kind=Kind.WHOLE),
            Column(key="amount", title="Difference", kind=Kind.FIGURE),
        ),
        rows=tuple((text, len(found), _signed(sum(found))) for text, found in ordered),
    )


def _why(each: Disagreement) -> str:
    texts = [reason.text for reason in each.reasons]
    return "; ".join([*texts, f"{_UNEXPLAINED}: {_signed(each.unexplained)}"] if each.unexplained else texts)


def _signed(amount: int) -> str:
    return f"{'+' if amount >= 0 else '-'}{format_quantity(abs(amount), Unit.COUNT)}"
