"""An analysis as a report: layers that add up to the totals, the totals, and what could not be counted."""

from __future__ import annotations

from collections.abc import Sequence

from convcost import __version__
from convcost.analysis import Analysis, Json, UnknownOp
from convcost.analysis.group import group_layers
from convcost.analysis.metrics import METRICS
from convcost.dataclasses import dataclass
from convcost.graph import Tensor
from convcost.reports.document import Column, Document, Fact, Kind, Table, shape_text
from convcost.reports.layer_table import layer_records, layer_table
from convcost.reports.view import View
from convcost.units import Unit

SEVERAL_SCHEMA = "convcost/analyses/1"
_EVERY_LAYER = View()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisReport:
    """One or more models under one view. JSON holds every layer whatever the view, and its groups where asked for."""

    analyses: tuple[Analysis, ...]
    view: View = _EVERY_LAYER

    def documents(self) -> tuple[Document, ...]:
        return tuple(
            Document(
                title=title_of(analysis),
                subtitle=inputs_of(analysis),
                tables=(layer_table(analysis, self.view), *unknown_table(analysis.unknown)),
                facts=total_facts(analysis),
                notes=analysis.notes,
                footer=("FLOPs = 2 × MACs + other ops. What is counted: convcost explain macs",),
            )
            for analysis in self.analyses
        )

    def records(self) -> Table:
        return layer_records(self.analyses, self.view)

    def to_json(self) -> Json:
        documents = [self._one_json(analysis) for analysis in self.analyses]
        return documents[0] if len(documents) == 1 else several_json(documents)

    def _one_json(self, analysis: Analysis) -> dict[str, Json]:
        document = analysis.to_json()
        if self.view.by != "layer":
            groups = group_layers(analysis.layers, by=self.view.by, depth=self.view.depth)
            document["groups"] = [{"by": self.view.by, **group.to_json()} for group in groups]
        return document


def several_json(analyses: Sequence[Json], failures: Sequence[Json] = ()) -> dict[str, Json]:
    """The document of several models, and of those that could not be read."""
    return {
        "schema": SEVERAL_SCHEMA,
        "convcost": __version__,
        "analyses": list(analyses),
        "failures": list(failures),
    }


def title_of(analysis: Analysis) -> str:
    """The target and what it was read as."""
    return f"{analysis.target} ({analysis.source})"


def inputs_of(analysis: Analysis) -> tuple[str, ...]:
    """What the numbers hold for: every input's shape, and the batch where all inputs agree on a first axis."""
    inputs = analysis.inputs
    if not inputs:
        return ("no inputs",)
    if len(inputs) > 4:
        return (f"{_described(inputs[0])}, and {len(inputs) - 1} more inputs",)
    first = {tensor.shape[0] for tensor in inputs if tensor.shape}
    batch = f" (batch {first.pop()})" if len(first) == 1 else ""
    return (f"{'inputs' if len(inputs) > 1 else 'input'} {', '.join(map(_described, inputs))}{batch}",)


def total_facts(analysis: Analysis) -> tuple[Fact, ...]:
    """Every total, and the coverage that says whether it is all."""
    totals = analysis.totals
    remarks = {
        "macs": "multiply-accumulates",
        "other_ops": "bias, norm, activation, pooling …",
        "flops": "2 × MACs + other ops",
        "params": "learnable, each tensor once",
        "buffers": "stored, not learned, not in params",
        "weight_bytes": "params in their stored type",
        "activation_bytes": "all op outputs, summed",
        "peak_activation_bytes": "largest alive at one time",
        "bytes_moved": "each op's inputs, weights, outputs",
    }
    counted = tuple(
        Fact(
            label=metric.label,
            value=metric.total(totals),
            unit=metric.unit,
            remark=remarks[metric.name],
            lower_bound=metric.is_least(analysis),
        )
        for metric in METRICS
    )
    extra = (*_eager_facts(analysis), *_gradient_facts(analysis))
    return (*counted, *extra, Fact(label="Coverage", value=coverage_text(analysis)))


def _eager_facts(analysis: Analysis) -> tuple[Fact, ...]:
    held = analysis.eager_peak_bytes
    if held is None:
        return ()
    return (Fact(label="Held by PyTorch", value=held, unit=Unit.BYTES, remark="most at one time, input included"),)


def _gradient_facts(analysis: Analysis) -> tuple[Fact, ...]:
    work = analysis.backward
    if work is None:
        return ()
    return (
        Fact(
            label="Backward MACs",
            value=work.macs,
            remark="gradients of inputs and weights",
            lower_bound=analysis.is_lower_bound,
        ),
    )


def coverage_text(analysis: Analysis) -> str:
    """`53 of 53 ops counted, 0 unknown`."""
    ops = len(analysis.layers)
    text = f"{analysis.counted} of {ops} ops counted, {ops - analysis.counted} unknown"
    return f"{text}: all but what is stored are lower bounds" if analysis.is_lower_bound else text


def unknown_table(unknown: Sequence[UnknownOp]) -> tuple[Table, ...]:
    """What could not be counted, why, and where; empty when everything was."""
    if not unknown:
        return ()
    columns = (
        Column(key="op", title="Unknown op", kind=Kind.NAME),
        Column(key="count", title="Times", kind=Kind.WHOLE),
        Column(key="layers", title="Layers", kind=Kind.NAME),
        Column(key="reason", title="Reason", kind=Kind.NAME),
    )
    rows = tuple((op.operator, len(op.layers), _some(op.layers), op.reason) for op in unknown)
    return (Table(columns=columns, rows=rows, title="Not counted"),)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _described(tensor: Tensor) -> str:
    return f"{tensor.name}: {shape_text(tensor.shape)} {tensor.dtype.value}"
