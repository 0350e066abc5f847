"""Channels split into groups that do not see each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Literal

from convcost.alternatives.base import Alternative, AnyConv, NotApplicable
from convcost.alternatives.stages import chain, resized
from convcost.alternatives.symbols import Symbols
from convcost.dataclasses import dataclass
from convcost.graph import Node
from convcost.graph.ops import Move, Op


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped(Alternative):
    """`groups` convolutions side by side, each from M/g to N/g channels; `all` stands for every legal number.

    With `shuffle`, the output's channels are then dealt out so that the next groups see all of these: no arithmetic,
    but every byte of the map moves.
    """

    groups: int | Literal["all"] = 4
    shuffle: bool = False

    name: ClassVar[str] = "grouped"
    summary: ClassVar[str] = "g convolutions side by side, each on its share of the channels"
    reference: ClassVar[str] = (
        "Krizhevsky et al. 2012; Xie et al. 2017 (ResNeXt); shuffle: Zhang et al. 2018 (ShuffleNet)"
    )

    def expand(self, convs: Sequence[AnyConv]) -> tuple[Alternative, ...]:
        if self.groups != "all":
            return (self,)
        legal = sorted({groups for conv in convs for groups in legal_groups(conv)})
        return tuple(Grouped(groups=groups, shuffle=self.shuffle) for groups in legal) or (self,)

    def rewrite(self, layer: Node, conv: AnyConv) -> tuple[Node, ...] | NotApplicable:
        m, n, g = conv.in_channels, conv.out_channels, self.groups
        if g == "all":
            return NotApplicable(reason=f"{m} input and {n} output channels have no more groups in common")
        if g <= conv.groups or g % conv.groups:
            return NotApplicable(reason=f"{g} groups do not refine the {conv.groups} it has")
        if m % g or n % g:
            return NotApplicable(reason=f"{g} groups do not divide {m} input and {n} output channels")
        stages: list[tuple[str, Op]] = [("grouped", resized(conv, in_channels=m, out_channels=n, groups=g))]
        if self.shuffle:
            stages.append(("shuffle", Move(action="channel_shuffle", shapes=(layer.outputs[0].shape,))))
        return chain(layer, stages)

    def formula(self, conv: AnyConv) -> str:
        symbols = Symbols.of(conv)
        return f"{symbols.taps}·M·N·{symbols.map} / g"

    def label(self, conv: AnyConv) -> str:
        return f"grouped g={self.groups}{' shuffled' if self.shuffle else ''}"


def legal_groups(conv: AnyConv) -> tuple[int, ...]:
    """Every number of groups finer than the layer's own that both its channel counts allow."""
    shared = math.gcd(conv.in_channels, conv.out_channels)
    step = conv.groups
    return tuple(groups for groups in range(2 * step, shared + 1, step) if shared % groups == 0)
