"""What changed between two analyses, layer by layer and in all."""

from __future__ import annotations

from typing import Literal, TypeAlias

from convcost import __version__
from convcost.analysis import Analysis, Json, Layer
from convcost.analysis.metrics import METRICS, Metric, metric_named
from convcost.budgets.folding import Folding, find_foldings
from convcost.budgets.pairing import Pair, pair_layers
from convcost.budgets.wording import changes_of, explained, shape_text
from convcost.dataclasses import dataclass

SCHEMA = "convcost/difference/1"

Change: TypeAlias = Literal["added", "removed", "renamed", "changed"]

_PARAMS = metric_named("params")
_ACTIVATION_BYTES = metric_named("activation_bytes")
_LAYER_METRICS = tuple(metric for metric in METRICS if metric.measure)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerChange:
    """One layer that is not what it was; `change` is `renamed` where nothing but the name differs."""

    change: Change
    pair: Pair

    def delta(self, metric: Metric) -> int:
        """How much more of the metric; the whole of it for a layer that was added."""
        return _of(self.pair.new, metric) - _of(self.pair.old, metric)

    def reason(self, metric: Metric) -> str:
        """What changed, in words; for an added or removed layer, that it was."""
        if self.pair.old is None or self.pair.new is None:
            return f"{self.change} ({self.kind})"
        renamed = f"was {self.pair.old.name}" if self.pair.is_renamed else ""
        said = explained(self.pair.old, self.pair.new, metric)
        return "; ".join(text for text in (renamed, said or self._values()) if text)

    def _values(self) -> str:
        """The figures that differ, where neither attributes nor shapes do: a bias, or the type of the weights.

        An output that takes no memory of its own is written over an operand, or is a view of one.
        """
        pairs = [
            (metric, _of(self.pair.old, metric), _of(self.pair.new, metric)) for metric in (_PARAMS, *_LAYER_METRICS)
        ]
        metric, old, new = next((each for each in pairs if each[1] != each[2]), (_PARAMS, 0, 0))
        if old == new:
            return ""
        moved = {(True, False): "in place now: ", (False, True): "no longer in place: "}
        place = moved.get((old > 0, new > 0), "") if metric is _ACTIVATION_BYTES else ""
        return f"{place}{metric.name} {old:,} → {new:,}"

    @property
    def kind(self) -> str:
        layer = self.pair.new or self.pair.old
        return layer.node.op.kind if layer else ""

    def to_json(self) -> dict[str, Json]:
        old, new = self.pair.old, self.pair.new
        return {
            "name": self.pair.name,
            "change": self.change,
            "was": old.name if old else None,
            "kind": {"old": old.node.op.kind if old else None, "new": new.node.op.kind if new else None},
            "changes": list(changes_of(old, new)) if old and new else [],
            "metrics": {
                metric.name: {"old": _of(old, metric), "new": _of(new, metric)}
                for metric in _LAYER_METRICS
                if _of(old, metric) != _of(new, metric)
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Two analyses beside each other. `changes` leave out what `foldings` account for."""

    old: Analysis
    new: Analysis
    changes: tuple[LayerChange, ...]
    foldings: tuple[Folding, ...]
    unchanged: int

    def __bool__(self) -> bool:
        return bool(self.changes or self.foldings or self.input_changes())

    def totals(self, metric: Metric) -> tuple[int, int]:
        """The model's value before and after."""
        return metric.total(self.old.totals), metric.total(self.new.totals)

    def risen(self, metric: Metric) -> tuple[LayerChange, ...]:
        """The changes that cost more of the metric, the largest first."""
        if metric.measure is None:
            return ()
        more = [change for change in self.changes if change.delta(metric) > 0]
        return tuple(sorted(more, key=lambda change: -change.delta(metric)))

    def input_changes(self) -> tuple[str, ...]:
        """Inputs that are not what they were, without which no two totals can be set beside each other."""
        old, new = ([shape_text(tensor.shape) for tensor in each.inputs] for each in (self.old, self.new))
        return () if old == new else (f"input {', '.join(old) or 'none'} → {', '.join(new) or 'none'}",)

    def to_json(self) -> dict[str, Json]:
        """The document of `docs/schema/difference-1.json`."""
        return {
            "schema": SCHEMA,
            "convcost": __version__,
            "old": _side(self.old),
            "new": _side(self.new),
            "totals": {
                metric.name: {"old": before, "new": after, "delta": after - before}
                for metric in METRICS
                for before, after in [self.totals(metric)]
            },
            "inputs": list(self.input_changes()),
            "explained": [folding.text() for folding in self.foldings],
            "unchanged": self.unchanged,
            "changes": [change.to_json() for change in self.changes],
        }


def difference(old: Analysis, new: Analysis) -> Difference:
    """Pairs the layers of two analyses and keeps what differs."""
    pairs = pair_layers(old.layers, new.layers)
    foldings = find_foldings(pairs)
    accounted = {id(pair) for folding in foldings for pair in folding.pairs}
    changes = [
        LayerChange(change=change, pair=pair)
        for pair in pairs
        if id(pair) not in accounted and (change := _change(pair)) is not None
    ]
    changed = len(accounted) + len(changes)
    return Difference(old=old, new=new, changes=tuple(changes), foldings=foldings, unchanged=len(pairs) - changed)


def _change(pair: Pair) -> Change | None:
    old, new = pair.old, pair.new
    if old is None:
        return "added"
    if new is None:
        return "removed"
    same_cost = all(metric.of(old) == metric.of(new) for metric in _LAYER_METRICS)
    if old.node.op.kind != new.node.op.kind or not same_cost or changes_of(old, new):
        return "changed"
    return "renamed" if pair.is_renamed else None


def _side(analysis: Analysis) -> dict[str, Json]:
    return {"target": analysis.target, "kind": analysis.source, "lower_bound": analysis.is_lower_bound}


def _of(layer: Layer | None, metric: Metric) -> int:
    return metric.of(layer) if layer is not None else 0
