"""convcost: what a neural network costs, and what its layers could cost instead.

    analysis = convcost.analyze("model.onnx")
    analysis.totals.macs

Names are loaded when they are first used, so that `import convcost` loads no framework.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing's own, by its name: nothing is imported before __main__ answers to interrupts
    from convcost.alternatives import Comparison
    from convcost.analysis import Analysis
    from convcost.api import analyze, check, compare, diff, load, measure
    from convcost.budgets import Difference, Status, Verdict, Verdicts
    from convcost.errors import ConvcostError
    from convcost.graph import Graph
    from convcost.latency import Measurement

__version__ = "0.1.0"

__all__ = [
    "Analysis",
    "Comparison",
    "ConvcostError",
    "Difference",
    "Graph",
    "Measurement",
    "Status",
    "Verdict",
    "Verdicts",
    "__version__",
    "analyze",
    "check",
    "compare",
    "diff",
    "load",
    "measure",
]

_HOME = {
    "Analysis": "convcost.analysis",
    "Comparison": "convcost.alternatives",
    "ConvcostError": "convcost.errors",
    "Difference": "convcost.budgets",
    "Graph": "convcost.graph",
    "Measurement": "convcost.latency",
    "Status": "convcost.budgets",
    "Verdict": "convcost.budgets",
    "Verdicts": "convcost.budgets",
    "analyze": "convcost.api",
    "check": "convcost.api",
    "compare": "convcost.api",
    "diff": "convcost.api",
    "load": "convcost.api",
    "measure": "convcost.api",
}


def __getattr__(name: str) -> object:
    import importlib

    if name not in _HOME:
        raise AttributeError(f"module 'convcost' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
