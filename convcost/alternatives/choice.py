"""Which convolutions of a network are compared."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from convcost.alternatives.base import AnyConv, convolution
from convcost.errors import UsageError
from convcost.graph import Graph, Node


def choose(
    graph: Graph, layers: Sequence[str], kinds: Sequence[str], min_kernel: int
) -> tuple[tuple[Node, AnyConv], ...]:
    """The convolutions that pass every filter, in execution order; an empty filter lets all pass.

    Raises `UsageError`, saying what there is, when none does.
    """
    found = [(node, conv) for node in graph.nodes if (conv := convolution(node)) is not None]
    if not found:
        raise UsageError(f"'{graph.target}' has no convolution to compare", hint="`convcost analyze` lists its layers")
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
