"""Splitting a two-dimensional kernel into a column and a row, as textbooks write it and as networks use it."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar, Literal

from convcost.alternatives.base import Alternative, AnyConv, NotApplicable, RankedAlternative
from convcost.alternatives.ranks import above, channels_of_a_group, uneven
from convcost.alternatives.stages import along, chain, resized
from convcost.alternatives.symbols import Symbols
from convcost.dataclasses import dataclass
from convcost.graph import Node, Shape
from convcost.graph.ops import Move, Op

_VERTICAL, _HORIZONTAL = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SpatialSeparable(Alternative):
    """Every D_K×D_K kernel split on its own, so that each (input, output) channel pair has an intermediate map.

    A real layer: a convolution with one group per input channel, its maps reordered by output channel (a view),
    and one with a group per output channel that also sums.
    """

    name: ClassVar[str] = "spatial_separable"
    summary: ClassVar[str] = "every kernel split into a column and a row; keeps M·N intermediate maps"
    reference: ClassVar[str] = "docs/conventions.md: the textbook form, (D_K + D_K)·M·N·D_F·D_F"

    def rewrite(self, layer: Node, conv: AnyConv) -> tuple[Node, ...] | NotApplicable:
        if reason := _not_splittable(conv):
            return NotApplicable(reason=reason)
        outputs_each, inputs_each = conv.out_channels // conv.groups, conv.in_channels // conv.groups
        maps = conv.in_channels * outputs_each
        column = resized(
            along(conv, {_VERTICAL}), in_channels=conv.in_channels, out_channels=maps, groups=conv.in_channels
        )
        row = resized(
            along(conv, {_HORIZONTAL}), in_channels=maps, out_channels=conv.out_channels, groups=conv.out_channels
        )
        stages: list[tuple[str, Op]] = [("vertical", column), ("horizontal", row)]
        if inputs_each > 1 and outputs_each > 1:
            (shape,) = column.output_shapes((layer.operands[0].shape,))
            stages.insert(1, ("reorder", _reorder(shape)))
        return chain(layer, stages)

    def formula(self, conv: AnyConv) -> str:
        symbols = Symbols.of(conv)
        return f"{symbols.extent}·M·N·{symbols.map}{symbols.per_group}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpatialFactorized(RankedAlternative):
    """D_K×1 to `rank` channels, then 1×D_K to the output's (order vh), or the row first (hv).

    Without `rank`, as many channels between as come out (`mid` out) or go in (`mid` in).
    """

    rank: int | None = None
    mid: Literal["out", "in"] = "out"
    order: Literal["vh", "hv"] = "vh"

    name: ClassVar[str] = "spatial_factorized"
    summary: ClassVar[str] = "a column convolution to R channels, then a row convolution"
    reference: ClassVar[str] = "Jaderberg et al. 2014, scheme 2; Szegedy et al. 2016 (Inception v3), 3.2"

    def at_rank(self, rank: int) -> SpatialFactorized:
        return dataclasses.replace(self, rank=rank)

    def channels_between(self, conv: AnyConv) -> int:
        return self.rank or (conv.out_channels if self.mid == "out" else conv.in_channels)

    def above_full_rank(self, conv: AnyConv) -> str | None:
        """As many channels between as go in or come out is the published form, whatever the kernel's rank."""
        if self.rank in (conv.in_channels, conv.out_channels):
            return None
        into, out_of = channels_of_a_group(conv)
        first, second = conv.kernel if self.order == "vh" else reversed(conv.kernel)
        return above(self.rank, conv.groups * into * first, conv.groups * out_of * second)

    def rewrite(self, layer: Node, conv: AnyConv) -> tuple[Node, ...] | NotApplicable:
        if reason := _not_splittable(conv):
            return NotApplicable(reason=reason)
        between = self.channels_between(conv)
        if reason := uneven(conv, between):
            return NotApplicable(reason=reason)
        axes = {"vertical": _VERTICAL, "horizontal": _HORIZONTAL}
        first, second = axes if self.order == "vh" else reversed(axes)
        into = resized(
            along(conv, {axes[first]}), in_channels=conv.in_channels, out_channels=between, groups=conv.groups
        )
        out_of = resized(
            along(conv, {axes[second]}), in_channels=between, out_channels=conv.out_channels, groups=conv.groups
        )
        return chain(layer, [(first, into), (second, out_of)])

    def formula(self, conv: AnyConv) -> str:
        symbols = Symbols.of(conv)
        if len(set(symbols.kernel)) == 1:
            return f"D_K·R·(M + N)·{symbols.map}{symbols.per_group}"
        # More axes than two only name a row that does not apply.
        first, *_, second = symbols.kernel if self.order == "vh" else reversed(symbols.kernel)
        return f"({first}·M + {second}·N)·R·{symbols.map}{symbols.per_group}"

    def label(self, conv: AnyConv) -> str:
        order = "" if self.order == "vh" else " hv"
        return f"spatial-factorised R={self.channels_between(conv)}{order}"


def _not_splittable(conv: AnyConv) -> str | None:
    if len(conv.kernel) != 2:
        return f"splits kernels of two axes, not {len(conv.kernel)}"
    if min(conv.kernel) == 1:
        size = "×".join(map(str, conv.kernel))
        return (
            f"a {size} kernel is already one-dimensional" if math.prod(conv.kernel) > 1 else "a 1×1 kernel is a point"
        )
    return None


def _reorder(shape: Shape) -> Move:
    return Move(action="transpose", shapes=(shape,), view=True)
