"""The table from ONNX operators to our ops, filled by a decorator."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from convcost.graph.ops import Op
from convcost.sources.onnx.lowering.call import Call, Lowered

Lowering: TypeAlias = "Callable[[Call], Op | Lowered]"

LOWERINGS: dict[str, Lowering] = {}
"""By operator name. Names are unique over the domains that are read: contrib operators that share a standard
operator's name share its meaning, or are told apart by `Call.domain`."""


def lowers(*operators: str) -> Callable[[Lowering], Lowering]:
    """Enters a function into the table for `operators`; refuses one that is already there."""

    def enter(lowering: Lowering) -> Lowering:
        for operator in operators:
            if operator in LOWERINGS:
                raise ValueError(f"'{operator}' is lowered twice")
            LOWERINGS[operator] = lowering
        return lowering

    return enter
