"""What cheaper forms would keep of trained kernels: a table per layer, or one row per layer where there are many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convcost.analysis import Json
from convcost.dataclasses import dataclass
from convcost.reports.document import Column, Document, Kind, Row, Table, shape_text
from convcost.weights import FamilyEnergies, GroupingEnergies, KernelSeparability, LayerSeparability, Separability

_MOST_TABLES = 4
"""With more layers than this, each gets one row, unless every row is asked for."""

_MOST_FINDINGS = 10

_KEPT = Column(key="energy", title="Kept", kind=Kind.PERCENT)
_CHANCE = Column(key="random_energy", title="By\nchance", kind=Kind.PERCENT, spare=1)
_EXCESS = Column(key="excess", title="Excess", kind=Kind.PERCENT)
_FORM = Column(key="family", title="Form", kind=Kind.TEXT)
_RANK = Column(key="rank", title="Rank", kind=Kind.WHOLE)
_MACS = Column(key="macs", title="MACs", kind=Kind.COUNT)
_FULL = Column(key="full_rank", title="Full rank", kind=Kind.WHOLE, spare=2)
_NEEDED = Column(key="rank_for_95", title="Rank for\n95 %", kind=Kind.WHOLE)

_LAYER_COLUMNS = (_FORM, _RANK, _MACS, _KEPT, _CHANCE, _EXCESS, _NEEDED, _FULL)
_RANK_COLUMNS = (_FORM, _RANK, _MACS, _KEPT, _CHANCE, _EXCESS)
_OVERVIEW_COLUMNS = (
    Column(key="layer", title="Layer", kind=Kind.NAME),
    Column(key="kernel", title="Kernel", kind=Kind.TEXT, spare=2),
    Column(key="family", title="Keeps most\nat half the MACs", kind=Kind.TEXT),
    _RANK,
    _KEPT,
    _CHANCE,
    _EXCESS,
    _NEEDED,
)
_KERNEL_COLUMNS = (
    Column(key="kernel", title="Kernel", kind=Kind.NAME),
    Column(key="shape", title="Size", kind=Kind.TEXT, spare=3),
    _RANK,
    Column(key="energy", title="Kept by\nrank 1", kind=Kind.PERCENT),
    Column(key="error", title="Error", kind=Kind.FIGURE),
    Column(key="column", title="Column", kind=Kind.TEXT, spare=1),
    Column(key="row", title="Row", kind=Kind.TEXT, spare=2),
)
_RECORD_KEYS = {
    "target": Kind.TEXT,
    "layer": Kind.TEXT,
    "family": Kind.TEXT,
    "finding": Kind.TEXT,
    "rank": Kind.WHOLE,
    "macs": Kind.COUNT,
    "energy": Kind.FIGURE,
    "random_energy": Kind.FIGURE,
    "rank_for_95": Kind.WHOLE,
    "full_rank": Kind.WHOLE,
}
_LEGEND = (
    "Kept: the share of a kernel's energy (its squares, added) that the form can keep at the MACs shown: at the "
    "largest rank within half the layer's, or in g groups.",
    "By chance: what it would keep of a random kernel of the same shape. Excess: the difference; only that was "
    "learned. Energy is not accuracy.",
)
_KERNEL_LEGEND = (
    "Column times row is the closest separable kernel; error is the root of the squares it misses. Rank 1: exact.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparabilityReport:
    """`every_row` gives each layer a table of its own; `ranks` adds what forms keep at the ranks asked for."""

    separability: Separability
    ranks: bool = False
    every_row: bool = False

    def documents(self) -> tuple[Document, ...]:
        found = self.separability
        if found.kernels:
            tables: list[Table] = [_kernel_table(found.kernels)]
        elif self.ranks or self.every_row or len(found.layers) <= _MOST_TABLES:
            tables = [table for layer in found.layers for table in self._layer_tables(layer)]
        else:
            tables = [_overview(found.layers)]
        return (
            Document(
                title=f"{found.target} ({found.source})",
                tables=tuple(tables),
                notes=found.notes,
                footer=_KERNEL_LEGEND if found.kernels else _LEGEND,
            ),
        )

    def records(self) -> Table:
        found = self.separability
        columns = tuple(Column(key=key, title=key, kind=kind) for key, kind in _RECORD_KEYS.items())
        layers = (row for layer in found.layers for row in _records(layer))
        kernels = (_kernel_record(kernel) for kernel in found.kernels)
        return Table(columns=columns, rows=tuple((found.target, *row) for row in (*layers, *kernels)))

    def to_json(self) -> Json:
        return self.separability.to_json()

    def _layer_tables(self, layer: LayerSeparability) -> Iterator[Table]:
        yield _layer_table(layer)
        if (self.ranks or self.every_row) and layer.families:
            yield Table(
                title=f"{layer.name} at {'the ranks asked for' if self.ranks else 'other ranks'}",
                columns=_RANK_COLUMNS,
                rows=tuple(
                    (family.label, point.rank, point.macs, point.energy, point.random, point.excess)
                    for family in layer.families
                    for point in family.points
                ),
            )


def _layer_table(layer: LayerSeparability) -> Table:
    return Table(
        title=f"{layer.name}: {_described(layer)}",
        columns=_LAYER_COLUMNS,
        rows=(
            *(_family_row(family) for family in layer.families if family.is_applicable),
            *(row for grouping in layer.groupings for row in _grouping_rows(grouping)),
        ),
        remarks=(
            *(f"{family.label} does not apply: {family.reason}" for family in layer.families if family.reason),
            *_alone(layer),
            *(f"finding: {finding.message}" for finding in layer.findings),
        ),
    )


def _described(layer: LayerSeparability) -> str:
    """`conv 64×64×3×3 g2, with bn1 folded in`."""
    groups = f" g{layer.groups}" if layer.groups > 1 else ""
    folded = f", with {layer.folded} folded in" if layer.folded else ""
    return f"{layer.kind} {shape_text(layer.shape)}{groups}{folded}"


def _family_row(family: FamilyEnergies) -> Row:
    half = family.half_macs
    kept: Row = ("–", None, None, None, None)
    if half is not None:
        kept = (half.rank, half.macs, half.energy, half.random, half.excess)
    return (family.label, *kept, _rank_for_95(family), family.full_rank)


def _rank_for_95(family: FamilyEnergies) -> int | None:
    return dict(family.rank_for).get(0.95)


def _grouping_rows(grouping: GroupingEnergies) -> Iterator[Row]:
    """A grouping has no rank: it keeps its share at 1/g of the MACs."""
    label = f"grouped g={grouping.groups}"
    for name, kept, chance in (
        (label, grouping.in_order, grouping.in_order_random),
        (f"{label}, reordered", grouping.reordered, grouping.reordered_random),
    ):
        yield (name, None, grouping.macs, kept, chance, kept - chance, None, None)


def _alone(layer: LayerSeparability) -> Iterator[str]:
    found = layer.separable
    if found is not None:
        yield (
            f"{found.separable:,} of {found.kernels:,} kernels are separable on their own; their closest columns and "
            f"rows keep {100 * found.energy:.1f} % (by chance {100 * found.random:.1f} %)"
        )


def _overview(layers: Sequence[LayerSeparability]) -> Table:
    said = [f"{layer.name}: {finding.message}" for layer in layers for finding in layer.findings]
    more = [f"… {len(said) - _MOST_FINDINGS} more findings: -v"] if len(said) > _MOST_FINDINGS else []
    return Table(
        title=f"{len(layers)} convolutions",
        columns=_OVERVIEW_COLUMNS,
        rows=tuple(_overview_row(layer) for layer in layers),
        remarks=("A table for each: -v, or --layer.", *said[:_MOST_FINDINGS], *more),
    )


def _overview_row(layer: LayerSeparability) -> Row:
    lead = (layer.name, shape_text(layer.shape))
    halves = [(half.energy, half, family) for family in layer.families if (half := family.half_macs) is not None]
    if not halves:
        return (*lead, ", ".join(finding.code for finding in layer.findings) or "–", None, None, None, None, None)
    _, half, family = max(halves, key=lambda each: each[0])
    return (*lead, family.label, half.rank, half.energy, half.random, half.excess, _rank_for_95(family))


def _kernel_table(kernels: Sequence[KernelSeparability]) -> Table:
    return Table(
        columns=_KERNEL_COLUMNS,
        rows=tuple(_kernel_row(kernel) for kernel in kernels),
        remarks=tuple(f"{kernel.name}: {finding.message}" for kernel in kernels for finding in kernel.findings),
    )


def _kernel_row(kernel: KernelSeparability) -> Row:
    error = None if kernel.error is None else f"{kernel.error:.4g}"
    rank = "–" if kernel.rank is None else kernel.rank
    return (kernel.name, shape_text(kernel.shape), rank, kernel.energy, error, _line(kernel.column), _line(kernel.row))


def _line(values: Sequence[float]) -> str:
    return " ".join(f"{value:.4g}" for value in values)


def _records(layer: LayerSeparability) -> Iterator[Row]:
    for finding in layer.findings:
        yield (layer.name, None, finding.code, *(None,) * 6)
    for family in layer.families:
        half = family.half_macs
        kept: Row = (half.rank, half.macs, half.energy, half.random) if half is not None else (None,) * 4
        ranks: Row = (_rank_for_95(family), family.full_rank) if family.is_applicable else (None, None)
        yield (layer.name, family.label, family.reason, *kept, *ranks)
    for grouping in layer.groupings:
        label = f"grouped g={grouping.groups}"
        yield (layer.name, label, None, None, grouping.macs, grouping.in_order, grouping.in_order_random, None, None)


def _kernel_record(kernel: KernelSeparability) -> Row:
    codes = " ".join(finding.code for finding in kernel.findings) or None
    return (kernel.name, None, codes, kernel.rank, None, kernel.energy, None, None, None)
