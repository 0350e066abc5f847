"""Low rank within groups of channels: what lies between depthwise-separable and channel low rank."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar, Literal

from convcost.alternatives.base import AnyConv, NotApplicable, RankedAlternative
from convcost.alternatives.ranks import above, channels_of_a_group
from convcost.alternatives.stages import chain, pointwise, resized
from convcost.alternatives.symbols import Symbols
from convcost.dataclasses import dataclass
from convcost.graph import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Gsvd(RankedAlternative):
    """G (`groups`) groups to d (`rank`) channels each, then 1×1 (conv_pw); or 1×1 to G·d channels first (pw_conv).

    With G = 1 it is channel low rank, with one channel in every group depthwise-separable with multiplier d.
    Without `rank`, about as many channels between as come out (conv_pw) or go in (pw_conv).
    """

    groups: int = 4
    rank: int | None = None
    order: Literal["conv_pw", "pw_conv"] = "conv_pw"

    name: ClassVar[str] = "gsvd"
    rank_symbol: ClassVar[str] = "d"
    summary: ClassVar[str] = "G groups of d filters each, mixed by 1×1; or 1×1 before the groups"
    reference: ClassVar[str] = "Peng et al. 2018 (Filter group approximation)"

    def at_rank(self, rank: int) -> Gsvd:
        return dataclasses.replace(self, rank=rank)

    def rank_step(self, conv: AnyConv) -> int:
        return 1

    def rank_per_group(self, conv: AnyConv) -> int:
        whole = conv.out_channels if self.order == "conv_pw" else conv.in_channels
        return self.rank or max(1, whole // self.groups)

    def above_full_rank(self, conv: AnyConv) -> str | None:
        """Of one of the G groups: it keeps all channels of its layer's group on the side that 1×1 mixes."""
        into, out_of = channels_of_a_group(conv)
        mixed, grouped = (out_of, conv.in_channels) if self.order == "conv_pw" else (into, conv.out_channels)
        return above(self.rank, mixed, grouped // self.groups * math.prod(conv.kernel))

    def rewrite(self, layer: Node, conv: AnyConv) -> tuple[Node, ...] | NotApplicable:
        grouped = conv.in_channels if self.order == "conv_pw" else conv.out_channels
        if conv.is_depthwise:
            return NotApplicable(reason="a depthwise kernel mixes no channels")
        if self.groups % conv.groups:
            return NotApplicable(reason=f"{self.groups} groups do not refine the {conv.groups} it has")
        if grouped % self.groups:
            side = "input" if self.order == "conv_pw" else "output"
            return NotApplicable(reason=f"{self.groups} groups do not divide {grouped} {side} channels")
        axes, between = len(conv.kernel), self.groups * self.rank_per_group(conv)
        if self.order == "conv_pw":
            filters = resized(conv, in_channels=conv.in_channels, out_channels=between, groups=self.groups)
            mix = pointwise(axes, in_channels=between, out_channels=conv.out_channels, groups=conv.groups)
            return chain(layer, [("grouped", filters), ("pointwise", mix)])
        mix = pointwise(axes, in_channels=conv.in_channels, out_channels=between, groups=conv.groups)
        filters = resized(conv, in_channels=between, out_channels=conv.out_channels, groups=self.groups)
        return chain(layer, [("pointwise", mix), ("grouped", filters)])

    def formula(self, conv: AnyConv) -> str:
        symbols = Symbols.of(conv)
        if self.order == "conv_pw":
            return f"({symbols.taps}·M + G·N{symbols.per_group})·d·{symbols.map}"
        return f"(G·M{symbols.per_group} + {symbols.taps}·N)·d·{symbols.map}"

    def label(self, conv: AnyConv) -> str:
        order = "" if self.order == "conv_pw" else " pw-conv"
        return f"gsvd G={self.groups} d={self.rank_per_group(conv)}{order}"
