"""A large or dilated kernel as a stack of small dense ones that see as far."""

from __future__ import annotations

import dataclasses
import itertools
from typing import ClassVar, Literal

from convcost.alternatives.base import AnyConv, NotApplicable, RankedAlternative
from convcost.alternatives.ranks import uneven
from convcost.alternatives.stages import chain, resized
from convcost.alternatives.symbols import Symbols
from convcost.dataclasses import dataclass
from convcost.graph import Node
from convcost.graph.ops import ConvTranspose, Pads

_MOST_STAGES = 15
"""Enough for 31×31, the largest kernel that networks use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stacked(RankedAlternative):
    """3×3 convolutions one after the other: two reach 5×5, or 3×3 at dilation 2; three reach 7×7.

    The stride is taken by the last (transposed: the first), padding is shared among them. Without `rank`, as many
    channels between as come out (`mid` out) or go in (`mid` in).
    """

    rank: int | None = None
    mid: Literal["out", "in"] = "out"

    name: ClassVar[str] = "stacked"
    summary: ClassVar[str] = "several 3×3 convolutions with the reach of one large or dilated kernel"
    reference: ClassVar[str] = "Simonyan & Zisserman 2015, 2.3; Szegedy et al. 2016 (Inception v3), 3.1"

    def at_rank(self, rank: int) -> Stacked:
        return dataclasses.replace(self, rank=rank)

    def channels_between(self, conv: AnyConv) -> int:
        return self.rank or (conv.out_channels if self.mid == "out" else conv.in_channels)

    def rewrite(self, layer: Node, conv: AnyConv) -> tuple[Node, ...] | NotApplicable:
        between = self.channels_between(conv)
        if reason := _not_stackable(conv) or uneven(conv, between):
            return NotApplicable(reason=reason)
        count = _stage_count(conv)
        widths = [conv.in_channels, *[between] * (count - 1), conv.out_channels]
        return chain(
            layer,
            [
                (
                    f"conv{at + 1}",
                    resized(_stage(conv, at, count), in_channels=into, out_channels=out, groups=conv.groups),
                )
                for at, (into, out) in enumerate(itertools.pairwise(widths))
            ],
        )

    def formula(self, conv: AnyConv) -> str:
        symbols, count = Symbols.of(conv), _stage_count(conv)
        taps = "·".join("3" if size > 1 else "1" for size in conv.kernel)
        inner = {2: "", 3: " + R"}.get(count, f" + {count - 2}·R")
        return f"{taps}·(M{inner} + N)·R·{symbols.map}{symbols.per_group}"

    def label(self, conv: AnyConv) -> str:
        window = "×".join("3" if size > 1 else "1" for size in conv.kernel)
        return f"stacked {_stage_count(conv)}× {window} R={self.channels_between(conv)}"


def _reach(conv: AnyConv) -> tuple[int, ...]:
    """How far the kernel sees along each axis, its dilation included."""
    return tuple(spread * (size - 1) + 1 for size, spread in zip(conv.kernel, conv.dilation, strict=True))


def _stage_count(conv: AnyConv) -> int:
    return max(2, (max(_reach(conv)) - 1) // 2)


def _not_stackable(conv: AnyConv) -> str | None:
    reach = set(_reach(conv)) - {1}
    shown = "×".join(map(str, _reach(conv)))
    if not reach or max(reach) < 5:
        return f"a reach of {shown} needs no stack"
    if len(reach) > 1 or max(reach) % 2 == 0:
        return f"3×3 convolutions do not stack up to a reach of {shown}"
    if _stage_count(conv) > _MOST_STAGES:
        return f"a reach of {shown} takes {_stage_count(conv)} convolutions"
    if isinstance(conv, ConvTranspose) and any(
        extra >= step for extra, step in zip(conv.output_padding, conv.stride, strict=True)
    ):
        return "its output padding is not smaller than its stride"
    return None


def _stage(conv: AnyConv, at: int, count: int) -> AnyConv:
    """Stage `at` of the stack, before its channels are set."""
    axes = len(conv.kernel)
    ones = (1,) * axes
    # The strided stage stands where the map is smallest: at the end, or at the start when it grows.
    strided = at == (0 if isinstance(conv, ConvTranspose) else count - 1)
    stage = dataclasses.replace(
        conv,
        kernel=tuple(3 if size > 1 else 1 for size in conv.kernel),
        stride=conv.stride if strided else ones,
        dilation=ones,
        pads=_share(conv.pads, at if not isinstance(conv, ConvTranspose) else count - 1 - at, count),
    )
    if isinstance(stage, ConvTranspose):
        return dataclasses.replace(stage, output_padding=stage.output_padding if strided else (0,) * axes)
    return stage


def _share(pads: Pads, at: int, count: int) -> Pads:
    """Equal parts of the padding, what is left over going to the first stages, so that no map vanishes on the way."""
    return tuple((_part(before, at, count), _part(after, at, count)) for before, after in pads)


def _part(total: int, at: int, count: int) -> int:
    return total // count + (at < total % count)
