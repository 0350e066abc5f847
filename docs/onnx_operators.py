"""docs/operators.md: what becomes of every ONNX operator, made from the lowering table and onnx's own schemas."""

from __future__ import annotations

from collections.abc import Iterator

from onnx import defs

from convcost.sources.onnx.lowering import LOWERINGS, NOT_MODELLED

# Handled where the graph is built, not by a lowering: they hold a value or other nodes.
_STRUCTURE = {
    "Constant": "its value is kept; it is no work",
    "If": "costs its dearest arm",
    "Loop": "costs its body as often as it runs; unknown where the file does not say how often",
    "Scan": "costs its body for every step",
}


def onnx_operators() -> str:
    """Standard operators of the newest opset first, then those of other domains."""
    standard = sorted({schema.name for schema in _standard()})
    others = sorted(LOWERINGS.keys() - set(standard))
    lines = [
        "<!-- made by docs/generate.py from the code; edit that instead -->",
        "",
        "# ONNX operators",
        "",
        f"Every standard operator of opset {defs.onnx_opset_version()} and what becomes of it. One that is not counted",
        "is listed in the report as unknown, with the reason, and makes the totals lower bounds. So is one of a",
        "domain that is not known, and any whose shapes are known only when the model runs.",
        "",
        "| operator | what becomes of it |",
        "| --- | --- |",
        *(f"| {name} | {_fate(name)} |" for name in standard),
        "",
        "## Of other domains",
        "",
        "What onnxruntime's optimiser and older exporters write (`com.microsoft` and others), counted like the",
        f"standard operators they stand for: {', '.join(others)}.",
    ]
    return "\n".join(lines) + "\n"


def _standard() -> Iterator[defs.OpSchema]:
    for schema in defs.get_all_schemas():
        if schema.domain == "" and not schema.deprecated:
            yield schema


def _fate(name: str) -> str:
    if name in NOT_MODELLED:
        return f"not counted: {NOT_MODELLED[name]}"
    if name in _STRUCTURE:
        return _STRUCTURE[name]
    return "counted" if name in LOWERINGS else "counted by its own definition in simpler operators"
