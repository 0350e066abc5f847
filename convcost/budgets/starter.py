"""A first config: budgets from today's numbers plus headroom."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction

from convcost.analysis import Analysis
from convcost.analysis.metrics import metric_named
from convcost.budgets.wording import shape_text
from convcost.dataclasses import dataclass
from convcost.units import format_quantity, limit_with_headroom, write_quantity

_LIMITED = tuple(map(metric_named, ("macs", "params", "peak_activation_bytes")))
_MACS = metric_named("macs")


@dataclass(frozen=True, slots=True, kw_only=True)
class StarterModel:
    """A model for a first config: the key its target goes by (`path`, `factory`, `spec`), and what it costs today."""

    name: str
    key: str
    target: str
    with_inputs: bool
    dims: tuple[tuple[str, int], ...]
    analysis: Analysis


def starter_config(models: Sequence[StarterModel], headroom: Fraction) -> str:
    """YAML with each model's totals and its costliest layer as limits, rounded up to three digits."""
    lines = ["# What these models may cost. convcost check holds them to it; convcost config show explains each value."]
    lines += ["version: 1", "models:"]
    lines += [_model_line(model) for model in models]
    lines += ["budgets:"]
    for model in models:
        limits = [
            f"{metric.name}: {_limit(metric.total(model.analysis.totals), metric.name, headroom)}"
            for metric in _LIMITED
        ]
        lines.append(f"  - {{model: {_text(model.name)}, {', '.join(limits)}}}")
    lines += ["layer_budgets:  # one layer that lost its groups hides in a total"]
    for model in models:
        largest = max((_MACS.of(layer) for layer in model.analysis.layers), default=0)
        limit = _limit(largest, "macs", headroom)
        lines.append(f'  - {{model: {_text(model.name)}, match: "*", per: layer, macs: {limit}}}')
    return "\n".join(lines) + "\n"


def _model_line(model: StarterModel) -> str:
    entry = [f"name: {_text(model.name)}", f"{model.key}: {_text(model.target)}"]
    if model.with_inputs:
        shapes = [f"{_text(tensor.name)}: [{', '.join(map(str, tensor.shape))}]" for tensor in model.analysis.inputs]
        entry.append(f"inputs: {{{', '.join(shapes)}}}")
    if model.dims:
        entry.append(f"dims: {{{', '.join(f'{_text(name)}: {size}' for name, size in model.dims)}}}")
    costs = f"{format_quantity(model.analysis.totals.macs, _MACS.unit)} macs today"
    shape = ", ".join(shape_text(tensor.shape) for tensor in model.analysis.inputs[:3])
    return f"  - {{{', '.join(entry)}}}  # {costs}{f' at {shape}' if shape else ''}"


def _limit(value: int, metric: str, headroom: Fraction) -> str:
    return write_quantity(limit_with_headroom(value, headroom), metric_named(metric).unit)


def _text(text: str) -> str:
    """Quoted as JSON quotes, which YAML reads the same."""
    return json.dumps(text, ensure_ascii=not text.isprintable())
