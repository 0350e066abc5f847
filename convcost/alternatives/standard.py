"""The layer as it is."""

from __future__ import annotations

from typing import ClassVar

from convcost.alternatives.base import Alternative, AnyConv
from convcost.alternatives.symbols import Symbols
from convcost.dataclasses import dataclass
from convcost.graph import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard(Alternative):
    """Every kernel dense over all channels of its group: what the others are compared with."""

    name: ClassVar[str] = "standard"
    summary: ClassVar[str] = "the layer as it is"
    reference: ClassVar[str] = "Howard et al. 2017 (MobileNets), eq. 2"

    def rewrite(self, layer: Node, conv: AnyConv) -> tuple[Node, ...]:
        return (layer,)

    def formula(self, conv: AnyConv) -> str:
        symbols = Symbols.of(conv)
        return f"{symbols.taps}·M·N·{symbols.map}{symbols.per_group}"
