"""What changed between two layers, in words: `groups 96 → 1: depthwise became dense, 96x`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from convcost.analysis import Json, Layer
from convcost.analysis.metrics import Metric
from convcost.graph import Shape

_LABELS = {"pads": "padding"}


def attributes_of(layer: Layer) -> Mapping[str, Json]:
    """The op's attributes as JSON says them, so that a live layer equals a saved one."""
    return {key: _plain(value) for key, value in layer.node.op.attributes().items()}


def changes_of(old: Layer, new: Layer) -> tuple[str, ...]:
    """Every attribute and shape that is not what it was, one phrase each."""
    before, after = attributes_of(old), attributes_of(new)
    keys = dict.fromkeys((*before, *after))
    attributes = [
        f"{_LABELS.get(key, key)} {value_text(before.get(key))} → {value_text(after.get(key))}"
        for key in keys
        if not _same(before.get(key), after.get(key))
    ]
    return (*attributes, *_shape_changes(old, new))


def explained(old: Layer, new: Layer, metric: Metric) -> str:
    """Why one layer costs what it costs now: what changed, what it became, and how many times as much that is."""
    changed = ", ".join(changes_of(old, new))
    became = _became(old, new)
    before, after = metric.of(old), metric.of(new)
    grown = times_text(before, after) if before != after else ""
    consequence = ", ".join(text for text in (became, grown) if text)
    return f"{changed}: {consequence}" if changed and consequence else changed or consequence


def times_text(before: int, after: int) -> str:
    """`96x`, `1.86x`; empty where there is nothing to multiply.

    >>> times_text(100, 9600), times_text(300, 557), times_text(0, 5)
    ('96x', '1.86x', '')
    """
    if not before or not after:
        return ""
    return f"{after // before}x" if after % before == 0 else f"{after / before:.3g}x"


def value_text(value: Json) -> str:
    """An attribute as a reader would write it: `3×3` for a kernel, one number where both axes agree."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case [first, *rest] if rest and all(item == first for item in rest) and isinstance(first, list):
            return value_text(first)
        case [int(before), int(after)] if before == after:
            return str(before)
        case list():
            texts = [value_text(item) for item in value]
            return "×".join(f"({text})" if "×" in text else text for text in texts)
        case _:
            return str(value)


def shape_text(shape: Shape) -> str:
    """`1×3×224×224`; a scalar is `()`."""
    return "×".join(map(str, shape)) or "()"


def _same(before: Json, after: Json) -> bool:
    """Equal, or as near as a number comes that one framework stores in 32 bits and another in 64."""
    if isinstance(before, float) and isinstance(after, float):
        return math.isclose(before, after, rel_tol=1e-6)
    return before == after


def _shape_changes(old: Layer, new: Layer) -> Iterator[str]:
    for what, before, after in (
        ("input", old.node.inputs, new.node.inputs),
        ("output", old.node.outputs, new.node.outputs),
    ):
        shapes_before, shapes_after = ([tensor.shape for tensor in tensors] for tensors in (before, after))
        if shapes_before != shapes_after:
            yield f"{what} {_shapes_text(shapes_before)} → {_shapes_text(shapes_after)}"


def _shapes_text(shapes: Sequence[Shape]) -> str:
    return ", ".join(map(shape_text, shapes)) or "none"


def _became(old: Layer, new: Layer) -> str:
    before, after = old.node.op.kind, new.node.op.kind
    if before == after:
        return ""
    if after == "conv":
        after = "dense" if dict(new.node.op.attributes()).get("groups") == 1 else "grouped"
    return f"{before} became {after}"


def _plain(value: object) -> Json:
    match value:
        case tuple():
            return [_plain(item) for item in value]
        case bool() | int() | float() | str() | None:
            return value
        case _:
            return str(value)
