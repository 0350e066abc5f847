"""The rank of a low-rank form: which are legal for a layer, and which is taken when none is given."""

from __future__ import annotations

from convcost.alternatives.base import AnyConv


def share_of(channels: int, parts: int, conv: AnyConv) -> int:
    """One part of so many channels, rounded up to a whole number for each of the layer's groups.

    >>> from convcost.graph.ops import Conv
    >>> grouped = Conv(in_channels=4, out_channels=4, kernel=(1,), stride=(1,), pads=((0, 0),), dilation=(1,), groups=2)
    >>> share_of(10, 4, grouped)
    4
    """
    return -(-channels // (parts * conv.groups)) * conv.groups


def uneven(conv: AnyConv, *ranks: int) -> str | None:
    """Why the layer's groups cannot share these ranks among them."""
    odd = next((rank for rank in ranks if rank % conv.groups), None)
    return None if odd is None else f"rank {odd} is not a multiple of the layer's {conv.groups} groups"


def above(rank: int | None, *sides: int) -> str | None:
    """Why a rank that was asked for (None: it was not) is refused where the unfolded kernel is a matrix of these sides.

    >>> above(9, 16, 8)
    'rank 9 is above the full rank 8, at which it is the layer itself'
    """
    # Side by side, not by their minimum: most grids have a rank below both, whichever is smaller.
    if rank is None or all(rank <= side for side in sides):
        return None
    return f"rank {rank} is above the full rank {min(sides)}, at which it is the layer itself"


def channels_of_a_group(conv: AnyConv) -> tuple[int, int]:
    """Of one of the layer's groups: those that go in and those that come out."""
    return conv.in_channels // conv.groups, conv.out_channels // conv.groups
