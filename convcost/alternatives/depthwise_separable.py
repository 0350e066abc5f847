"""One spatial filter per channel, and a 1×1 convolution that mixes channels."""

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
class DepthwiseSeparable(RankedAlternative):
    """`multiplier` filters per channel, then pointwise (dw_pw); or pointwise first (pw_dw), at the input's resolution.

    A sum of T such terms is one layer with multiplier T: nothing is added up afterwards. T is the family's rank.
    A layer's groups stay with the pointwise half.
    """

    multiplier: int = 1
    order: Literal["dw_pw", "pw_dw"] = "dw_pw"

    name: ClassVar[str] = "depthwise_separable"
    rank_symbol: ClassVar[str] = "T"
    summary: ClassVar[str] = "one filter per channel, then 1×1 across channels"
    reference: ClassVar[str] = "Sifre 2014; Howard et al. 2017 (MobileNets), eq. 5; pw_dw: Chollet 2017 (Xception)"

    def at_rank(self, rank: int) -> DepthwiseSeparable:
        return dataclasses.replace(self, multiplier=rank)

    def rank_step(self, conv: AnyConv) -> int:
        return 1

    def above_full_rank(self, conv: AnyConv) -> str | None:
        """Taps against the channels that 1×1 mixes, one matrix for every channel filtered."""
        into, out_of = channels_of_a_group(conv)
        return above(self.multiplier, math.prod(conv.kernel), out_of if self.order == "dw_pw" else into)

    def rewrite(self, layer: Node, conv: AnyConv) -> tuple[Node, ...] | NotApplicable:
        if math.prod(conv.kernel) == 1:
            return NotApplicable(reason="a 1×1 kernel is already pointwise")
        if conv.is_depthwise:
            return NotApplicable(reason="already depthwise")
        axes, m, n = len(conv.kernel), conv.in_channels, conv.out_channels
        if self.order == "dw_pw":
            filters = resized(conv, in_channels=m, out_channels=m * self.multiplier, groups=m)
            mix = pointwise(axes, in_channels=m * self.multiplier, out_channels=n, groups=conv.groups)
            return chain(layer, [("depthwise", filters), ("pointwise", mix)])
        mix = pointwise(axes, in_channels=m, out_channels=n * self.multiplier, groups=conv.groups)
        filters = resized(conv, in_channels=n * self.multiplier, out_channels=n, groups=n)
        return chain(layer, [("pointwise", mix), ("depthwise", filters)])

    def formula(self, conv: AnyConv) -> str:
        symbols = Symbols.of(conv)
        times = "T·" if self.multiplier > 1 else ""
        mixed = "N" if self.order == "dw_pw" else "M"
        kept = "M" if self.order == "dw_pw" else "N"
        return f"({symbols.taps} + {mixed}{symbols.per_group})·{times}{kept}·{symbols.map}"

    def label(self, conv: AnyConv) -> str:
        times = f" T={self.multiplier}" if self.multiplier > 1 else ""
        return f"depthwise-separable{times}{'' if self.order == 'dw_pw' else ' pw-dw'}"
