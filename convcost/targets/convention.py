"""A target's cost in another counter's convention."""

from __future__ import annotations

from collections.abc import Mapping

from convcost import sources
from convcost.analysis import analyze_graph
from convcost.conventions import Convention, Expression, express
from convcost.errors import UsageError
from convcost.graph import Graph
from convcost.graph.caller import Caller
from convcost.sources.request import Request, is_saved


def expressed(request: Request, convention: Convention, *, backward: bool = False) -> Expression:
    """What the counter would print of a PyTorch model's forward pass; of other networks, as if made of modules.

    Raises `UsageError` for a saved report, which does not say what its layers were made of.
    """
    target = request.target
    if is_saved(target) or target.startswith("git:"):
        raise UsageError(
            f"{target} is a report, or would be read as one, and reports do not hold what {convention.name} goes by",
            hint="--convention takes the model itself: a file, or a PyTorch target",
        )
    graph, callers = _called(request)
    return express(analyze_graph(graph, backward=backward), convention, callers)


def _called(request: Request) -> tuple[Graph, Mapping[str, Caller] | None]:
    """The network, and who called each of its layers where modules run."""
    if sources.source_of(request.target).name == "torch":
        from convcost.sources.torch import callers_of, is_program

        if not is_program(request.target):
            return callers_of(request)
    return sources.load(request), None
