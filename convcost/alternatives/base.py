"""What an alternative is: a rewrite of one convolution into plain nodes, or the reason why there is none."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Self, TypeAlias

from convcost.dataclasses import dataclass
from convcost.graph import Node
from convcost.graph.ops import Conv, ConvTranspose, DeformConv

AnyConv: TypeAlias = Conv | ConvTranspose


@dataclass(frozen=True, slots=True, kw_only=True)
class NotApplicable:
    """Why an alternative does not exist for a layer."""

    reason: str


class Alternative(ABC):
    """A family of rewrites; a subclass is a frozen dataclass whose fields are the family's options.

    The rewritten nodes end in the layer's own output tensor and carry its bias, so that they can stand in its
    place; what they cost is counted like any other node. `formula` is only shown beside the count.
    """

    __slots__ = ()

    name: ClassVar[str]
    reference: ClassVar[str]
    summary: ClassVar[str]

    @abstractmethod
    def rewrite(self, layer: Node, conv: AnyConv) -> tuple[Node, ...] | NotApplicable:
        """The nodes that could stand in place of `layer`, whose op is `conv`."""

    @abstractmethod
    def formula(self, conv: AnyConv) -> str:
        """The textbook multiplies, in the symbols of `symbols.Symbols`; `D_F` once for every axis, in order."""

    def label(self, conv: AnyConv) -> str:
        """How tables call this alternative for one layer."""
        return self.name.replace("_", "-")

    def expand(self, convs: Sequence[AnyConv]) -> tuple[Alternative, ...]:
        """The alternatives this one stands for when those layers are compared: itself, unless an option says more."""
        return (self,)

    def options(self) -> dict[str, int | str | None]:
        """The options by name, as the user gave them or by default."""
        # Every concrete alternative is a dataclass; an abstract base cannot say so to the type checker.
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]


class RankedAlternative(Alternative):
    """A family with a free rank: the smaller, the cheaper and the further from the layer it replaces."""

    __slots__ = ()

    rank_symbol: ClassVar[str] = "R"

    @abstractmethod
    def at_rank(self, rank: int) -> Self:
        """The same alternative at another rank; where it has two, at both alike."""

    def rank_step(self, conv: AnyConv) -> int:
        """Ranks are multiples of this: by default of the layer's groups, which each get their share."""
        return conv.groups

    def above_full_rank(self, conv: AnyConv) -> str | None:
        """Why a rank that was asked for is more than the layer's kernel can have; None for families without a ceiling.

        `rewrite` prices such ranks all the same: break-even is looked for on either side of the ceiling.
        """
        return None


def convolution(layer: Node) -> AnyConv | None:
    """The op of a layer that alternatives are defined for; deformable convolutions are not."""
    match layer.op:
        case DeformConv():
            return None
        case Conv() | ConvTranspose():
            return layer.op
        case _:
            return None
