"""Channels split into groups that do not see each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from convcost.alternatives.base import Alternative, AnyConv, NotApplicable
from convcost.alternatives.stages import chain, resized
from convcost.alternatives.symbols import Symbols
from convcost.graph import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped(Alternative):
    """`groups` convolutions side by side, each from M/g to N/g channels."""

    groups: int = 4

    name: ClassVar[str] = "grouped"
    summary: ClassVar[str] = "g convolutions side by side, each on its share of the channels"
    reference: ClassVar[str] = "Krizhevsky et al. 2012; Xie et al. 2017 (ResNeXt)"

    def rewrite(self, layer: Node, conv: AnyConv) -> tuple[Node, ...] | NotApplicable:
        m, n, g = conv.in_channels, conv.out_channels, self.groups
        if g <= conv.groups or g % conv.groups:
            return NotApplicable(reason=f"{g} groups do not refine the {conv.groups} it has")
        if m % g or n % g:
            return NotApplicable(reason=f"{g} groups do not divide {m} input and {n} output channels")
        return chain(layer, [("grouped", resized(conv, in_channels=m, out_channels=n, groups=g))])

    def formula(self, conv: AnyConv) -> str:
        symbols = Symbols.of(conv)
        return f"{symbols.taps}·M·N·{symbols.map} / g"

    def label(self, conv: AnyConv) -> str:
        return f"grouped g={self.groups}"
