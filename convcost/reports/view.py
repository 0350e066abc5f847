"""What part of an analysis a reader asked to see, and in which order; the totals are the same for every view."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal, TypeAlias

from convcost.analysis import Analysis, Layer
from convcost.analysis.group import Group, Grouping, add_up, group_layers
from convcost.analysis.metrics import METRICS, Metric, metric_named
from convcost.dataclasses import dataclass
from convcost.errors import UsageError
from convcost.graph.ops import Unknown

Entry: TypeAlias = Layer | Group

WorkUnit: TypeAlias = Literal["macs", "flops"]
SORT_ORDERS = ("execution", "name")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """`every_row` keeps layers that have neither MACs nor parameters, which otherwise fold into the rest.

    `sort` is `execution`, `name` or a metric (largest first); None means execution order, or largest
    first by `unit` where `top` asks for the costliest.
    """

    by: Grouping = "layer"
    depth: int = 1
    sort: str | None = None
    top: int | None = None
    unit: WorkUnit = "macs"
    every_row: bool = False

    def __post_init__(self) -> None:
        if self.sort is not None and self.sort not in SORT_ORDERS:
            _sorting_metric(self.sort)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The entries to show, and the sum of those that are not."""

    shown: tuple[Entry, ...]
    rest: Group


def select(analysis: Analysis, view: View) -> Selection:
    """Shown and rest together are every layer once."""
    entries: Sequence[Entry] = (
        analysis.layers if view.by == "layer" else group_layers(analysis.layers, by=view.by, depth=view.depth)
    )
    ordered = _sorted(entries, view)
    shown = [entry for entry in ordered if _keep(entry, view)][: view.top]
    left = {entry.name for entry in entries} - {entry.name for entry in shown}
    hidden = [entry for entry in entries if entry.name in left]
    return Selection(shown=tuple(shown), rest=_rest(hidden))


def members_of(entry: Entry, analysis: Analysis, view: View) -> tuple[Layer, ...]:
    """The layers that an entry of this view stands for."""
    if isinstance(entry, Layer):
        return (entry,)
    named = ((layer, group_layers([layer], by=view.by, depth=view.depth)[0].name) for layer in analysis.layers)
    return tuple(layer for layer, name in named if name == entry.name)


def _sorted(entries: Sequence[Entry], view: View) -> Sequence[Entry]:
    order = view.sort or ("execution" if view.top is None else view.unit)
    if order == "execution":
        return entries
    if order == "name":
        return sorted(entries, key=lambda entry: entry.name)
    metric = _sorting_metric(order)
    return sorted(entries, key=metric.of, reverse=True)


def _keep(entry: Entry, view: View) -> bool:
    if view.every_row or view.by == "kind" or entry.cost.macs or entry.storage.params:
        return True
    if isinstance(entry, Layer) and isinstance(entry.node.op, Unknown):
        return True
    sorted_by_metric = view.sort is not None and view.sort not in SORT_ORDERS
    return sorted_by_metric and metric_named(view.sort or "").of(entry) > 0


def _rest(hidden: Sequence[Entry]) -> Group:
    layers = sum(entry.layers if isinstance(entry, Group) else 1 for entry in hidden)
    return dataclasses.replace(add_up("rest", hidden), layers=layers)


def _sorting_metric(name: str) -> Metric:
    metric = metric_named(name)
    if metric.measure is None:
        choices = ", ".join(each.name for each in METRICS if each.measure)
        raise UsageError(
            f"layers cannot be sorted by {name}, which only the whole model has", hint=f"sort by {choices}"
        )
    return metric
