"""A kernel as a sum of outer products: every axis filtered on its own, channel by channel."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

from convcost.alternatives.base import AnyConv, NotApplicable, RankedAlternative
from convcost.alternatives.ranks import uneven
from convcost.alternatives.stages import along, chain, pointwise, resized
from convcost.alternatives.symbols import Symbols
from convcost.dataclasses import dataclass
from convcost.graph import Node
from convcost.graph.ops import ConvTranspose, Op

_AXIS_NAMES = {1: ("depthwise",), 2: ("vertical", "horizontal"), 3: ("temporal", "vertical", "horizontal")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cp(RankedAlternative):
    """1×1 to `rank` channels, a depthwise convolution along each axis in turn, 1×1 to the output's.

    Without `rank`, as many terms as output channels. Only its cost is known here: the best terms for given weights
    have no closed form.
    """

    rank: int | None = None

    name: ClassVar[str] = "cp"
    summary: ClassVar[str] = "R outer products: 1×1, one depthwise filter along each axis, 1×1"
    reference: ClassVar[str] = "Lebedev et al. 2015 (CP-decomposition), 3.2"

    def at_rank(self, rank: int) -> Cp:
        return dataclasses.replace(self, rank=rank)

    def terms(self, conv: AnyConv) -> int:
        return self.rank or conv.out_channels

    def rewrite(self, layer: Node, conv: AnyConv) -> tuple[Node, ...] | NotApplicable:
        if math.prod(conv.kernel) == 1:
            return NotApplicable(reason="a 1×1 kernel is a matrix: channel_lowrank factors it")
        if conv.is_depthwise:
            return NotApplicable(reason="a depthwise kernel mixes no channels")
        terms, axes = self.terms(conv), len(conv.kernel)
        if reason := uneven(conv, terms):
            return NotApplicable(reason=reason)
        into = pointwise(axes, in_channels=conv.in_channels, out_channels=terms, groups=conv.groups)
        out_of = pointwise(axes, in_channels=terms, out_channels=conv.out_channels, groups=conv.groups)
        return chain(layer, [("reduce", into), *self._filters(conv), ("expand", out_of)])

    def _filters(self, conv: AnyConv) -> list[tuple[str, Op]]:
        """One per axis along which the layer does anything at all."""
        terms, axes = self.terms(conv), len(conv.kernel)
        names = _AXIS_NAMES.get(axes, tuple(f"axis{axis}" for axis in range(axes)))
        return [
            (names[axis], resized(along(conv, {axis}), in_channels=terms, out_channels=terms, groups=terms))
            for axis in range(axes)
            if not _is_idle(conv, axis)
        ]

    def formula(self, conv: AnyConv) -> str:
        symbols = Symbols.of(conv)
        filters = [symbol for symbol, size in zip(symbols.kernel, conv.kernel, strict=True) if size > 1]
        terms = [f"M{symbols.per_group}", *filters, f"N{symbols.per_group}"]
        return f"({' + '.join(terms)})·R·{symbols.map}"

    def label(self, conv: AnyConv) -> str:
        return f"cp R={self.terms(conv)}"


def _is_idle(conv: AnyConv, axis: int) -> bool:
    extra = conv.output_padding[axis] if isinstance(conv, ConvTranspose) else 0
    return conv.kernel[axis] == 1 and conv.stride[axis] == 1 and conv.pads[axis] == (0, 0) and not extra
