"""A comparison as a report: a table per convolution, or one row per convolution where there are many."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from convcost.alternatives import Candidate, Comparison, LayerComparison, ModelTotal, RankedAlternative
from convcost.alternatives.symbols import letters_text
from convcost.analysis import Json
from convcost.dataclasses import dataclass
from convcost.reports.document import Column, Document, Kind, Row, Table, shape_text

_MOST_TABLES = 4
"""With more convolutions than this, each gets one row, unless every row is asked for."""

_MACS = Column(key="macs", title="MACs", kind=Kind.COUNT)
_VERSUS = Column(key="ratio_macs", title="vs std", kind=Kind.TIMES)
_PARAMS = Column(key="params", title="Params", kind=Kind.COUNT)

_PARETO = Column(key="pareto", title="Pareto", kind=Kind.TEXT)

_LAYER_COLUMNS = (
    Column(key="alternative", title="Alternative", kind=Kind.TEXT),
    Column(key="formula", title="Formula", kind=Kind.TEXT, spare=2),
    _MACS,
    _VERSUS,
    _PARAMS,
    Column(key="activation_bytes", title="Activations", kind=Kind.BYTES, spare=1),
    Column(key="macs_per_byte", title="MACs/byte", kind=Kind.RATE, spare=3),
)
_TOTAL_COLUMNS = (
    Column(key="alternative", title="Alternative", kind=Kind.TEXT),
    _MACS,
    _VERSUS,
    _PARAMS,
    Column(key="activation_bytes", title="Activations", kind=Kind.BYTES, spare=2),
    Column(key="peak_activation_bytes", title="Peak activation", kind=Kind.BYTES, spare=3),
    Column(key="replaced_layers", title="Replaced", kind=Kind.FIGURE, spare=1),
)
_RECORD_KEYS = {
    "target": Kind.TEXT,
    "layer": Kind.TEXT,
    "alternative": Kind.TEXT,
    "options": Kind.TEXT,
    "applicable": Kind.TEXT,
    "reason": Kind.TEXT,
    "formula": Kind.TEXT,
    "macs": Kind.COUNT,
    "params": Kind.COUNT,
    "activation_bytes": Kind.BYTES,
    "bytes_moved": Kind.BYTES,
    "pareto": Kind.TEXT,
}
_MAPS = {
    "output": "D_F is each convolution's own output map: the exact count",
    "input": "D_F is each convolution's own input map, as some texts count (--df input)",
}
_VERSUS_LEGEND = "vs std: how many times fewer MACs than the layer as it is; below 1.00× it costs more."
_MORE = "More: convcost explain depthwise_separable, or any other word of a table"
_NO_ACCURACY = "These are costs; accuracy is not guessed."
_PARETO_LEGEND = "Pareto: in MACs, params and activations together, nothing else in the table beats it."


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonReport:
    """`every_row` gives every convolution a table of its own, however many there are; `pareto` shows that mark."""

    comparison: Comparison
    every_row: bool = False
    pareto: bool = False

    def documents(self) -> tuple[Document, ...]:
        comparison = self.comparison
        if self.every_row or len(comparison.layers) <= _MOST_TABLES:
            tables = [table for layer in comparison.layers for table in self._layer_tables(layer)]
        else:
            tables = [_overview(comparison.layers)]
        if comparison.source != "spec" or len(comparison.layers) > 1:
            tables += _total_tables(comparison, pareto=self.pareto)
        if comparison.unknown:
            from convcost.reports.analysis import unknown_table

            tables += unknown_table(comparison.unknown)
        return (
            Document(
                title=f"{comparison.target} ({comparison.source})",
                subtitle=(_MAPS[comparison.df],),
                tables=tuple(tables),
                notes=comparison.notes,
                footer=tuple(self._legend(tables)),
            ),
        )

    def _legend(self, tables: Sequence[Table]) -> Iterator[str]:
        yield _VERSUS_LEGEND
        if self.pareto:
            yield _PARETO_LEGEND
        letters = letters_text(text for table in tables for text in _with_letters(table))
        yield f"{letters}. {_MORE}" if letters else _MORE
        yield _NO_ACCURACY

    def _layer_tables(self, layer: LayerComparison) -> Iterator[Table]:
        yield _layer_table(layer, pareto=self.pareto)
        if layer.standard.devices:
            from convcost.reports.devices import devices_table

            rows = [(candidate.label, candidate.devices) for candidate in layer.candidates if candidate.devices]
            yield devices_table(rows, what=layer.name)

    def records(self) -> Table:
        columns = tuple(Column(key=key, title=key, kind=kind) for key, kind in _RECORD_KEYS.items())
        rows = tuple(
            _record(self.comparison.target, layer.name, candidate)
            for layer in self.comparison.layers
            for candidate in layer.candidates
        )
        return Table(columns=columns, rows=rows)

    def to_json(self) -> Json:
        return self.comparison.to_json()


def _with_letters(table: Table) -> Iterator[str]:
    """Where labels and formulas stand: titles, the first two columns of alternatives, remarks."""
    yield from (column.title for column in table.columns)
    if table.columns[0].key == "alternative":
        yield from (str(cell) for row in table.rows for cell in row[:2])
    yield from table.remarks


def conv_text(layer: LayerComparison) -> str:
    """`conv 128→128 3×3 s1 p1 @ 28×28`; dilation, groups and batch where they are not 1."""
    conv, shape = layer.conv, layer.layer.operands[0].shape
    axes = len(conv.kernel)
    batch = shape[0] if len(shape) == axes + 2 else 1
    return " ".join(
        [
            f"{conv.kind} {conv.in_channels}→{conv.out_channels} {_window(conv.kernel)}",
            f"s{_each(conv.stride)} p{_each(conv.pads)}",
            *([f"d{_each(conv.dilation)}"] if set(conv.dilation) != {1} else []),
            *([f"g{conv.groups}"] if conv.groups > 1 else []),
            f"@ {shape_text(shape[-axes:])}",
            *([f"batch {batch}"] if batch > 1 else []),
        ]
    )


def _window(kernel: Sequence[int]) -> str:
    """`3×3`; a lone side would read as a number of nothing."""
    return shape_text(tuple(kernel)) if len(kernel) > 1 else f"k{kernel[0]}"


def _each(values: Sequence[int] | Sequence[tuple[int, int]]) -> str:
    """One number where all agree, else one per axis, with padding before and after where they differ."""
    texts = [str(value) if isinstance(value, int) else _pad(value) for value in values]
    return texts[0] if len(set(texts)) == 1 else "×".join(texts)


def _pad(pad: tuple[int, int]) -> str:
    before, after = pad
    return str(before) if before == after else f"({before},{after})"


def _layer_table(layer: LayerComparison, *, pareto: bool) -> Table:
    repeated = f" ×{layer.layer.repeat}" if layer.layer.repeat > 1 else ""
    return Table(
        title=f"{layer.name}: {conv_text(layer)}{repeated}",
        columns=(*_LAYER_COLUMNS, *([_PARETO] if pareto else [])),
        rows=tuple(
            (*_candidate_row(candidate, layer.standard), *([_mark(candidate.pareto)] if pareto else []))
            for candidate in layer.candidates
        ),
        remarks=(
            *(
                f"{candidate.label} does not apply: {candidate.reason}"
                for candidate in layer.candidates
                if not candidate.is_applicable
            ),
            *_break_even_remark(layer.candidates),
        ),
    )


def _break_even_remark(candidates: Sequence[Candidate]) -> Iterator[str]:
    """The ranks up to which each ranked family costs no more than the layer, in one line; families once."""
    found = "; ".join(dict.fromkeys(text for candidate in candidates if (text := _break_even_text(candidate))))
    if found:
        yield f"No dearer than the layer up to: {found}"


def _break_even_text(candidate: Candidate) -> str | None:
    found, alternative = candidate.break_even, candidate.alternative
    if found is None or not isinstance(alternative, RankedAlternative):
        return None
    symbol = alternative.rank_symbol
    family = re.sub(rf" {symbol}=[\d,]+", "", candidate.label)
    macs, params = (_rank_text(symbol, rank) for rank in (found.macs, found.params))
    return f"{family} {macs}" if macs == params else f"{family} {macs} in MACs, {params} in params"


def _rank_text(symbol: str, rank: int | None) -> str:
    return f"any {symbol}" if rank is None else f"{symbol}={rank}" if rank else f"no {symbol}"


def _mark(pareto: bool | None) -> str | None:
    return "yes" if pareto else None


def _candidate_row(candidate: Candidate, standard: Candidate) -> Row:
    if not candidate.is_applicable:
        return (candidate.label, candidate.formula, "–", None, None, None, None)
    cost = candidate.cost
    return (
        candidate.label,
        candidate.formula,
        cost.macs,
        _ratio(standard.cost.macs, cost.macs),
        candidate.params,
        candidate.activation_bytes,
        _ratio(cost.macs, cost.bytes_moved),
    )


def _overview(layers: Sequence[LayerComparison]) -> Table:
    """One row per convolution; a column per alternative says how many times fewer MACs it takes."""
    others = [at for at, candidate in enumerate(layers[0].candidates) if candidate.alternative.name != "standard"]
    labels = [common_label([layer.candidates[at] for layer in layers]) for at in others]
    columns = (
        Column(key="layer", title="Layer", kind=Kind.NAME),
        Column(key="conv", title="Convolution", kind=Kind.TEXT, spare=2),
        Column(key="macs", title="MACs", kind=Kind.COUNT),
        *(Column(key=label, title=_two_lines(label), kind=Kind.TIMES) for label in labels),
    )
    rows = tuple(
        (layer.name, conv_text(layer), layer.standard.cost.macs, *(_saving(layer, at) for at in others))
        for layer in layers
    )
    remark = (
        "Columns of alternatives: times fewer MACs; –: does not apply. A table for each convolution: -v, or --layer."
    )
    return Table(title=f"{len(layers)} convolutions", columns=columns, rows=rows, remarks=(remark,))


def _saving(layer: LayerComparison, at: int) -> float | str | None:
    candidate = layer.candidates[at]
    return _ratio(layer.standard.cost.macs, candidate.cost.macs) if candidate.is_applicable else "–"


def common_label(candidates: Sequence[Candidate]) -> str:
    """The label all layers share, or the name where it holds a size that depends on the layer."""
    labels = {candidate.label for candidate in candidates}
    return labels.pop() if len(labels) == 1 else candidates[0].label.partition(" ")[0]


def _two_lines(label: str) -> str:
    head, separator, tail = label.partition("-") if "-" in label else label.partition(" ")
    return f"{head}{separator.strip()}\n{tail}" if separator else label


def _total_tables(comparison: Comparison, *, pareto: bool) -> Iterator[Table]:
    standard = next((total.macs for total in comparison.totals if total.alternative.name == "standard"), None)
    every = [layer.candidates for layer in comparison.layers]
    labels = [common_label(candidates) for candidates in zip(*every, strict=True)]
    at_least = " (at least: some ops could not be counted)" if comparison.is_lower_bound else ""
    labelled = list(zip(labels, comparison.totals, strict=True))
    yield Table(
        title=f"The whole model, with each alternative wherever it applies{at_least}",
        columns=(*_TOTAL_COLUMNS, *([_PARETO] if pareto else [])),
        rows=tuple(
            (*_total_row(total, label, standard, len(every)), *([_mark(total.pareto)] if pareto else []))
            for label, total in labelled
        ),
        remarks=tuple(_left_out(comparison)),
    )
    if any(total.devices for total in comparison.totals):
        from convcost.reports.devices import devices_table

        several = "s" * (len(every) > 1)
        what = f"{len(every)} convolution{several}"
        yield devices_table([(label, total.devices) for label, total in labelled], what=what)


def _left_out(comparison: Comparison) -> Iterator[str]:
    if comparison.smaller_kernels:
        several = comparison.smaller_kernels > 1
        yield (
            f"{comparison.smaller_kernels} convolution{'s' * several} with a smaller kernel than "
            f"{comparison.min_kernel} {'are' if several else 'is'} left alone: --min-kernel 1 compares all"
        )


def _total_row(total: ModelTotal, label: str, standard: int | None, chosen: int) -> Row:
    is_standard = total.alternative.name == "standard"
    return (
        label,
        total.macs,
        _ratio(standard, total.macs) if standard is not None else None,
        total.params,
        total.activation_bytes,
        total.peak_activation_bytes,
        "as it is" if is_standard else f"{total.replaced_layers} of {chosen}",
    )


def _record(target: str, layer: str, candidate: Candidate) -> Row:
    chosen = candidate.alternative.options().items()
    options = " ".join(f"{key}={value}" for key, value in chosen if value is not None)
    lead = (target, layer, candidate.alternative.name, options)
    if not candidate.is_applicable:
        return (*lead, "no", candidate.reason, candidate.formula, None, None, None, None, None)
    cost = candidate.cost
    numbers = (cost.macs, candidate.params, candidate.activation_bytes, cost.bytes_moved)
    return (*lead, "yes", None, candidate.formula, *numbers, "yes" if candidate.pareto else "no")


def _ratio(value: int, by: int) -> float | None:
    return value / by if by else None
