"""Graph to Analysis: pure functions that know neither framework nor output format."""

from __future__ import annotations

from convcost.analysis.analyze import analyze_graph, layer_costs, unknown_ops
from convcost.analysis.result import Analysis, Json, Layer, Storage, Totals, UnknownOp

__all__ = ["Analysis", "Json", "Layer", "Storage", "Totals", "UnknownOp", "analyze_graph", "layer_costs", "unknown_ops"]
