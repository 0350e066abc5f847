"""A kernel as a small core between two changes of channels."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

from convcost.alternatives.base import AnyConv, NotApplicable, RankedAlternative
from convcost.alternatives.ranks import above, share_of, uneven
from convcost.alternatives.stages import between_pointwise
from convcost.alternatives.symbols import Symbols
from convcost.dataclasses import dataclass
from convcost.graph import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Tucker2(RankedAlternative):
    """1×1 from M to `rank_in` channels, the core to `rank_out`, 1×1 to N.

    A rank that is not given is half the channels of its side.
    """

    rank_in: int | None = None
    rank_out: int | None = None

    name: ClassVar[str] = "tucker2"
    summary: ClassVar[str] = "a core of R_M×R_N channels between two 1×1 convolutions"
    reference: ClassVar[str] = "Kim et al. 2016 (Compression of deep CNNs), 3.2: Tucker-2"

    def at_rank(self, rank: int) -> Tucker2:
        return dataclasses.replace(self, rank_in=rank, rank_out=rank)

    def channels_between(self, conv: AnyConv) -> tuple[int, int]:
        """Into the core and out of it."""
        return (
            self.rank_in or share_of(conv.in_channels, 2, conv),
            self.rank_out or share_of(conv.out_channels, 2, conv),
        )

    def above_full_rank(self, conv: AnyConv) -> str | None:
        """Either side has no more directions than channels."""
        return above(self.rank_in, conv.in_channels) or above(self.rank_out, conv.out_channels)

    def rewrite(self, layer: Node, conv: AnyConv) -> tuple[Node, ...] | NotApplicable:
        if math.prod(conv.kernel) == 1:
            return NotApplicable(reason="a 1×1 kernel is a matrix: channel_lowrank factors it")
        if conv.is_depthwise:
            return NotApplicable(reason="a depthwise kernel mixes no channels")
        rank_in, rank_out = self.channels_between(conv)
        if reason := uneven(conv, rank_in, rank_out):
            return NotApplicable(reason=reason)
        return between_pointwise(layer, conv, rank_in=rank_in, rank_out=rank_out)

    def formula(self, conv: AnyConv) -> str:
        symbols = Symbols.of(conv)
        return f"(M·R_M + {symbols.taps}·R_M·R_N + N·R_N)·{symbols.map}{symbols.per_group}"

    def label(self, conv: AnyConv) -> str:
        return "tucker2 R={},{}".format(*self.channels_between(conv))
