"""The baseline file: what models cost when somebody last said that it was all right.

It is a pure function of the metrics: sorted by model, layers in execution order on a line each, so that a diff of
two baselines reads like a diff of two networks. No times, hosts, versions or hashes are in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction

from convcost.analysis import Analysis, Json
from convcost.analysis.metrics import METRICS
from convcost.analysis.saved import read_layers
from convcost.dataclasses import dataclass
from convcost.errors import SourceError
from convcost.units import format_column, format_percent

SCHEMA = "convcost/baseline/1"
DEFAULT_FILE = "convcost-baseline.json"

_LAYER_KEYS = (
    "name",
    "kind",
    "inputs",
    "outputs",
    "attributes",
    "macs",
    "other_ops",
    "params",
    "buffers",
    "weight_bytes",
    "activation_bytes",
    "bytes_moved",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """Models by name, as the file says them; `file` is how complaints call it."""

    file: str
    models: Mapping[str, Json]

    @classmethod
    def read(cls, document: Json, *, file: str) -> Baseline:
        """Raises `SourceError` for a document of another kind."""
        models = document.get("models") if isinstance(document, dict) else None
        if not isinstance(document, dict) or document.get("schema") != SCHEMA or not isinstance(models, dict):
            hint = "take it from version control again, or remove it and run convcost check --update-baseline"
            raise SourceError(f"{file}: not a baseline ({SCHEMA})", hint=hint)
        return cls(file=file, models=models)

    def analysis(self, name: str) -> Analysis | None:
        """What the model of that name cost; None for one that is not in the file. Raises `SourceError`."""
        if name not in self.models:
            return None
        entry = self.models[name]
        layers = entry.get("layers") if isinstance(entry, dict) else None
        if isinstance(entry, dict) and isinstance(layers, list):
            # The framework's own word for an op is no metric, and not in the file.
            named = [{**layer, "op": layer.get("kind")} if isinstance(layer, dict) else layer for layer in layers]
            entry = {**entry, "layers": named}
        return read_layers(entry, named=f"{self.file}: {name}", target=name, source="baseline")

    def merged(self, analyses: Mapping[str, Analysis]) -> Baseline:
        """The same with these models at what they cost now; the others stay as they are."""
        now = {name: _entry(analysis) for name, analysis in analyses.items()}
        return Baseline(file=self.file, models={**self.models, **now})

    def text(self) -> str:
        """The file's content: the same metrics give the same bytes."""
        models = ",\n".join(f"    {_dump(name)}: {_model_text(self.models[name])}" for name in sorted(self.models))
        body = f"{{\n{models}\n  }}" if models else "{}"
        return f'{{\n  "schema": {_dump(SCHEMA)},\n  "models": {body}\n}}\n'


def changes_in(before: Analysis | None, now: Analysis, *, name: str) -> tuple[str, ...]:
    """What rose and what fell, one line a metric, for somebody who accepts it."""
    if before is None:
        macs = format_column([now.totals.macs], METRICS[0].unit)[0]
        return (f"{name}: new in the baseline, {macs} macs",)
    lines = []
    for metric in METRICS:
        old, new = metric.total(before.totals), metric.total(now.totals)
        if old != new:
            share = f" ({format_percent(Fraction(new - old, old))})" if old else ""
            texts = " → ".join(format_column([old, new], metric.unit))
            lines.append(f"{name}: {metric.name} {'rose' if new > old else 'fell'}, {texts}{share}")
    return tuple(lines)


def _entry(analysis: Analysis) -> dict[str, Json]:
    document = analysis.to_json()
    coverage = analysis.coverage_json()
    layers: list[Json] = [
        {key: value for key, value in layer.to_json().items() if key in _LAYER_KEYS} for layer in analysis.layers
    ]
    return {
        "inputs": document["inputs"],
        "totals": document["totals"],
        "coverage": {"unknown": coverage["unknown"]},
        "layers": layers,
    }


def _model_text(model: Json) -> str:
    if not isinstance(model, dict):
        return _dump(model)
    parts = [f"      {_dump(key)}: {_part_text(value)}" for key, value in sorted(model.items())]
    return "{\n" + ",\n".join(parts) + "\n    }"


def _part_text(value: Json) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f"        {_dump(item)}" for item in value) + "\n      ]"
    return _dump(value)


def _dump(value: Json) -> str:
    return json.dumps(value, sort_keys=True)
