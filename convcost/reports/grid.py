"""A design space as a report: one row for each alternative. The rows of the space itself are written to files."""

from __future__ import annotations

from convcost.analysis import Json
from convcost.dataclasses import dataclass
from convcost.grids import GridSummary
from convcost.grids.axes import ATTRIBUTES, Axis
from convcost.grids.summary import AlternativeSummary
from convcost.reports.document import Column, Document, Kind, Row, Table

_COLUMNS = (
    Column(key="alternative", title="Alternative", kind=Kind.NAME),
    Column(key="applies", title="Applies to", kind=Kind.WHOLE),
    Column(key="macs_fewer_least", title="MACs vs std\nleast", kind=Kind.TIMES, spare=3),
    Column(key="macs_fewer_mean", title="\nmean", kind=Kind.TIMES),
    Column(key="macs_fewer_most", title="\nmost", kind=Kind.TIMES, spare=2),
    Column(key="params_fewer_mean", title="Params\nmean", kind=Kind.TIMES, spare=1),
    Column(key="fewest_macs", title="Fewest\nMACs", kind=Kind.WHOLE, spare=4),
    Column(key="unbeaten", title="Unbeaten", kind=Kind.WHOLE),
    Column(key="more_macs", title="More MACs\nthan std", kind=Kind.WHOLE, spare=5),
)
_MOST_LISTED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class GridReport:
    """What became of a grid."""

    summary: GridSummary

    def documents(self) -> tuple[Document, ...]:
        summary = self.summary
        return (
            Document(
                title=f"{_counted(summary.configurations)} × {len(summary.alternatives)} alternatives",
                subtitle=tuple(map(_axis_text, summary.rows.grid.axes)),
                tables=(Table(columns=_COLUMNS, rows=tuple(map(_row, summary.alternatives)), remarks=self._remarks()),),
                footer=(
                    f"Not on an axis: {_defaults(summary)}.",
                    "Times fewer than the standard layer, means geometric; unbeaten in MACs, params and activations.",
                    "Every row of the grid: -o grid.csv or -o grid.parquet",
                ),
            ),
        )

    def records(self) -> Table:
        return Table(columns=_COLUMNS, rows=tuple(map(_row, self.summary.alternatives)))

    def to_json(self) -> Json:
        return self.summary.to_json()

    def _remarks(self) -> tuple[str, ...]:
        no_layers = (f"{_counted(count)} are no layer: {reason}" for reason, count in self.summary.no_layers)
        not_applicable = (
            f"{each.label} does not apply to {count:,}: {reason}"
            for each in self.summary.alternatives
            for reason, count in each.reasons
        )
        return (*no_layers, *not_applicable)


def rows_text(summary: GridSummary) -> str:
    """How much a file of rows holds, in one line."""
    count = (
        sum(each.unbeaten for each in summary.alternatives)
        if summary.rows.pareto
        else summary.layers * len(summary.alternatives)
    )
    others = (f"; {_counted(number)} are no layer: {reason}" for reason, number in summary.no_layers)
    return f"{count:,} rows of {summary.layers:,} layers{''.join(others)}"


def _row(found: AlternativeSummary) -> Row:
    macs, params = found.macs, found.params
    return (
        found.label,
        found.applies,
        _times(macs.most),
        _times(macs.mean),
        _times(macs.least),
        _times(params.mean),
        found.fewest_macs,
        found.unbeaten,
        found.more_macs,
    )


def _times(ratio: float | None) -> float | None:
    return 1 / ratio if ratio else None


def _counted(configurations: int) -> str:
    return f"{configurations:,} configuration{'' if configurations == 1 else 's'}"


def _axis_text(axis: Axis) -> str:
    shown = axis.shown
    if len(shown) > 2 * _MOST_LISTED:
        shown = (*shown[:_MOST_LISTED], "…", shown[-1])
    count = f" ({len(axis.values):,} values)" if len(axis.values) > 2 * _MOST_LISTED else ""
    return f"{axis.name} {', '.join(shown)}{count}"


def _defaults(summary: GridSummary) -> str:
    given = {axis.name for axis in summary.rows.grid.axes}
    left = {name: each.default for name, each in ATTRIBUTES.items() if name not in given and each.default is not None}
    return ", ".join(f"{name} {Axis(name=name, values=(value,)).shown[0]}" for name, value in left.items())
