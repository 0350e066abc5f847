"""The same layer by Winograd's minimal filtering: exact, with fewer multiplies."""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Literal

from convcost.alternatives.base import Alternative, AnyConv, NotApplicable
from convcost.alternatives.symbols import Symbols
from convcost.dataclasses import dataclass
from convcost.graph import Node
from convcost.graph.ops import ConvTranspose, WinogradConv


@dataclass(frozen=True, slots=True, kw_only=True)
class Winograd(Alternative):
    """F(m, 3): tiles of m (`tile`) outputs a side take m + 2 products a side, those at the edge in full.

    The layer, its weights and its result stay the same; its MACs are the effective ones, and the transforms of tiles
    other ops.
    """

    tile: Literal[2, 4, 6] = 2

    name: ClassVar[str] = "winograd"
    summary: ClassVar[str] = "the same 3×3 layer computed in tiles, with fewer multiplies"
    reference: ClassVar[str] = "Lavin & Gray 2016 (Fast algorithms for CNNs), 4: F(m×m, 3×3)"

    def rewrite(self, layer: Node, conv: AnyConv) -> tuple[Node, ...] | NotApplicable:
        if isinstance(conv, ConvTranspose):
            return NotApplicable(reason="for convolutions that are not transposed")
        if set(conv.stride) | set(conv.dilation) != {1}:
            return NotApplicable(reason="for stride 1 and dilation 1 only")
        if not set(conv.kernel) <= {1, 3} or 3 not in conv.kernel:
            return NotApplicable(reason="F(m, 3) is for kernels of side 3")
        attributes = {field.name: getattr(conv, field.name) for field in dataclasses.fields(conv)}
        return (dataclasses.replace(layer, op=WinogradConv(tile=self.tile, **attributes)),)

    def formula(self, conv: AnyConv) -> str:
        symbols = Symbols.of(conv)
        axes = list(zip(symbols.kernel, conv.kernel, strict=True))
        products = "·".join(f"(m + {side} − 1)" for side, size in axes if size > 1) or "1"
        tiles = "·".join("⌈D_F / m⌉" if size > 1 else "D_F" for _, size in axes)
        return f"{products}·M·N·{tiles}{symbols.per_group}"

    def label(self, conv: AnyConv) -> str:
        return f"winograd F({self.tile},3)"
