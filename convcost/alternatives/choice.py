"""Which convolutions of a network are compared."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from convcost.alternatives.base import AnyConv, convolution
from convcost.analysis import unknown_ops
from convcost.errors import UsageError
from convcost.graph import Graph, Node

_MOST_TOLD = 3


def convolutions(graph: Graph) -> list[tuple[Node, AnyConv]]:
    """All there are, in execution order. Where there is none, raises `UsageError` with what could not be counted."""
    found = [(node, conv) for node in graph.nodes if (conv := convolution(node)) is not None]
    if found:
        return found
    what = f"'{graph.target}' has no convolution to compare"
    if not (unknown := unknown_ops(graph.nodes)):
        raise UsageError(what, hint="convcost analyze lists its layers")
    likely_first = sorted(unknown, key=lambda op: "conv" not in op.operator.lower())
    told = "; ".join(f"{op.layers[0]} ({op.operator}): {op.reason}" for op in likely_first[:_MOST_TOLD])
    more = f"; and {len(unknown) - _MOST_TOLD} more" if len(unknown) > _MOST_TOLD else ""
    raise UsageError(
        f"{what}; what could not be counted: {told}{more}",
        hint="convcost analyze shows every op, and the shapes that are known",
    )


def choose(
    graph: Graph, layers: Sequence[str], kinds: Sequence[str], min_kernel: int
) -> tuple[tuple[Node, AnyConv], ...]:
    """The convolutions that pass every filter, in execution order; an empty filter lets all pass.

    Raises `UsageError`, saying what there is, when none does.
    """
    found = convolutions(graph)
    named = [pair for pair in found if not layers or any(fnmatchcase(pair[0].name, glob) for glob in layers)]
    if not named:
        raise UsageError(f"no convolution is named like {', '.join(layers)}", hint=f"the first is '{found[0][0].name}'")
    known = sorted({conv.kind for _, conv in named})
    matching = [pair for pair in named if not kinds or pair[1].kind in kinds]
    if not matching:
        raise UsageError(f"no convolution is of kind {', '.join(kinds)}", hint=f"there are: {', '.join(known)}")
    chosen = tuple(pair for pair in matching if max(pair[1].kernel) >= min_kernel)
    if not chosen:
        raise UsageError(
            f"none of {len(matching)} convolutions has a kernel of {min_kernel} or more",
            hint="--min-kernel 1 compares them all",
        )
    return chosen
