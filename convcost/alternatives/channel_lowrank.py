"""A kernel cut to low rank across channels: fewer filters, mixed by a 1×1 convolution."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar, Literal

from convcost.alternatives.base import AnyConv, NotApplicable, RankedAlternative
from convcost.alternatives.ranks import above, channels_of_a_group, share_of, uneven
from convcost.alternatives.stages import chain, pointwise, resized
from convcost.alternatives.symbols import Symbols
from convcost.dataclasses import dataclass
from convcost.graph import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelLowRank(RankedAlternative):
    """The layer's window to `rank` channels, then 1×1 (conv_pw); or 1×1 to `rank` channels first (pw_conv).

    Without `rank`, half as many channels between as come out (conv_pw) or go in (pw_conv).
    """

    rank: int | None = None
    order: Literal["conv_pw", "pw_conv"] = "conv_pw"

    name: ClassVar[str] = "channel_lowrank"
    summary: ClassVar[str] = "R filters instead of N, mixed by 1×1; or 1×1 to R channels before the filters"
    reference: ClassVar[str] = "Denton et al. 2014; Zhang et al. 2016 (Accelerating very deep networks), 3.1"

    def at_rank(self, rank: int) -> ChannelLowRank:
        return dataclasses.replace(self, rank=rank)

    def channels_between(self, conv: AnyConv) -> int:
        whole = conv.out_channels if self.order == "conv_pw" else conv.in_channels
        return self.rank or share_of(whole, 2, conv)

    def above_full_rank(self, conv: AnyConv) -> str | None:
        """Outputs against (input, taps), or inputs against (output, taps); every group is a matrix of its own."""
        into, out_of = channels_of_a_group(conv)
        cut, rest = (out_of, into) if self.order == "conv_pw" else (into, out_of)
        return above(self.rank, conv.groups * cut, conv.groups * rest * math.prod(conv.kernel))

    def rewrite(self, layer: Node, conv: AnyConv) -> tuple[Node, ...] | NotApplicable:
        if conv.is_depthwise:
            return NotApplicable(reason="a depthwise kernel mixes no channels")
        between = self.channels_between(conv)
        if reason := uneven(conv, between):
            return NotApplicable(reason=reason)
        axes, m, n, groups = len(conv.kernel), conv.in_channels, conv.out_channels, conv.groups
        if self.order == "conv_pw":
            filters = resized(conv, in_channels=m, out_channels=between, groups=groups)
            mix = pointwise(axes, in_channels=between, out_channels=n, groups=groups)
            return chain(layer, [("convolution", filters), ("pointwise", mix)])
        mix = pointwise(axes, in_channels=m, out_channels=between, groups=groups)
        filters = resized(conv, in_channels=between, out_channels=n, groups=groups)
        return chain(layer, [("pointwise", mix), ("convolution", filters)])

    def formula(self, conv: AnyConv) -> str:
        symbols = Symbols.of(conv)
        sides = f"{symbols.taps}·M + N" if self.order == "conv_pw" else f"M + {symbols.taps}·N"
        return f"({sides})·R·{symbols.map}{symbols.per_group}"

    def label(self, conv: AnyConv) -> str:
        order = "" if self.order == "conv_pw" else " pw-conv"
        return f"channel-lowrank R={self.channels_between(conv)}{order}"
