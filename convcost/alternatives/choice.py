"""Which convolutions of a network are compared."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from convcost.alternatives.base import AnyConv, convolution
from convcost.errors import UsageError
from convcost.graph import Graph, Node
from convcost.graph.ops import Unknown

_MOST_TOLD = 3


def convolutions(graph: Graph, layers: Sequence[str] = ()) -> list[tuple[Node, AnyConv]]:
    """Those whose name matches a glob of `layers` (none: all), in execution order.

    Where there is none, raises `UsageError` with what could not be counted: a convolution may be among it.
    """
    found = [(node, conv) for node in graph.nodes if (conv := convolution(node)) is not None]
    named = [pair for pair in found if _is_named(pair[0].name, layers)]
    if named:
        return named
    what = (
        f"no convolution is named like {', '.join(layers)}"
        if layers
        else f"'{graph.target}' has no convolution to compare"
    )
    if unknown := _unknown_ops(graph, layers):
        hint = "convcost analyze shows every op, and the shapes that are known"
        raise UsageError(f"{what}; what could not be counted: {_told(unknown)}", hint=hint)
    raise UsageError(what, hint=f"the first is '{found[0][0].name}'" if found else "convcost analyze lists its layers")


def uncounted_note(graph: Graph, layers: Sequence[str] = ()) -> tuple[str, ...]:
    """A note on the convolutions, by the framework's word for them, that nothing is known of; empty where all are."""
    unknown = [pair for pair in _unknown_ops(graph, layers) if _is_convolution(pair[1])]
    return (f"left out, for they could not be counted: {_told(unknown)}",) if unknown else ()


def _unknown_ops(graph: Graph, layers: Sequence[str]) -> list[tuple[str, Unknown]]:
    """Those of such names, each under its own; convolutions first."""
    named = (node for node in graph.nodes if _is_named(node.name, layers))
    unknown = [(node.name, node.op) for node in named if isinstance(node.op, Unknown)]
    return sorted(unknown, key=lambda pair: not _is_convolution(pair[1]))


def _is_convolution(op: Unknown) -> bool:
    return "conv" in op.operator.lower()


def _told(unknown: Sequence[tuple[str, Unknown]]) -> str:
    ops = [f"{name} ({op.operator}): {op.reason}" for name, op in unknown[:_MOST_TOLD]]
    more = [f"and {len(unknown) - _MOST_TOLD} more"] if len(unknown) > _MOST_TOLD else []
    return "; ".join([*ops, *more])


def _is_named(name: str, layers: Sequence[str]) -> bool:
    return not layers or any(fnmatchcase(name, glob) for glob in layers)


def choose(
    graph: Graph, layers: Sequence[str], kinds: Sequence[str], min_kernel: int
) -> tuple[tuple[Node, AnyConv], ...]:
    """The convolutions that pass every filter, in execution order; an empty filter lets all pass.

    Raises `UsageError`, saying what there is, when none does.
    """
    named = convolutions(graph, layers)
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
