"""A PyTorch target counted twice: by convcost, and by another counter on the same module."""

from __future__ import annotations

from convcost import sources
from convcost.analysis import analyze_graph
from convcost.analysis.cross_check import CrossCheck, Opinion, cross_check
from convcost.errors import UsageError
from convcost.sources.request import Request, is_saved


def cross_checked(request: Request, peer: str, *, backward: bool = False) -> CrossCheck:
    """The target's analysis beside what `fvcore` or `torch` says of it.

    Raises `UsageError` for what is no PyTorch model in Python code, and what `analysis_of` raises.
    """
    target = request.target
    if is_saved(target) or target.startswith("git:") or sources.source_of(target).name != "torch":
        raise UsageError(
            f"{target} is not a PyTorch model, the only kind {peer} counts",
            hint="cross-check torchvision:NAME, timm:NAME, package.module:factory or file.py:factory",
        )
    from convcost.sources.torch import ask_peer

    graph, count = ask_peer(request, peer)
    opinion = Opinion(
        peer=peer,
        version=count.version,
        products=count.products,
        additions=count.additions,
        unruled=count.unruled,
        ran_on=count.ran_on,
    )
    return cross_check(analyze_graph(graph, backward=backward), opinion)
