"""Channels squeezed before the kernel and widened after it."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

from convcost.alternatives.base import AnyConv, NotApplicable, RankedAlternative
from convcost.alternatives.ranks import share_of, uneven
from convcost.alternatives.stages import between_pointwise
from convcost.alternatives.symbols import Symbols
from convcost.dataclasses import dataclass
from convcost.graph import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Bottleneck(RankedAlternative):
    """1×1 to `rank` channels, the layer's window among them, 1×1 to the output's.

    Without `rank`, a quarter of the output's channels, as in ResNet. The stride stays with the window.
    """

    rank: int | None = None

    name: ClassVar[str] = "bottleneck"
    summary: ClassVar[str] = "1×1 to R channels, the kernel on those, 1×1 to the output's"
    reference: ClassVar[str] = "He et al. 2016 (ResNet), figure 5; Lin et al. 2014"

    def at_rank(self, rank: int) -> Bottleneck:
        return dataclasses.replace(self, rank=rank)

    def channels_between(self, conv: AnyConv) -> int:
        return self.rank or share_of(conv.out_channels, 4, conv)

    def rewrite(self, layer: Node, conv: AnyConv) -> tuple[Node, ...] | NotApplicable:
        if math.prod(conv.kernel) == 1:
            return NotApplicable(reason="a 1×1 kernel leaves nothing between two others")
        if conv.is_depthwise:
            return NotApplicable(reason="a depthwise kernel mixes no channels")
        between = self.channels_between(conv)
        if reason := uneven(conv, between):
            return NotApplicable(reason=reason)
        return between_pointwise(layer, conv, rank_in=between, rank_out=between)

    def formula(self, conv: AnyConv) -> str:
        symbols = Symbols.of(conv)
        return f"(M + {symbols.taps}·R + N)·R·{symbols.map}{symbols.per_group}"

    def label(self, conv: AnyConv) -> str:
        return f"bottleneck R={self.channels_between(conv)}"
