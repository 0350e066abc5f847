"""The families whose rank a trained kernel decides: how each unfolds a kernel, and what each rank would cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from convcost.alternatives import (
    Alternative,
    AnyConv,
    DepthwiseSeparable,
    NotApplicable,
    SpatialFactorized,
)
from convcost.graph import Node
from convcost.weights import spectra
from convcost.weights.layout import Kernel
from convcost.weights.spectra import Spectrum, spectrum


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One way to factor a kernel at a rank.

    `at_rank` is the alternative whose option `rank_option` is that rank. Its rank counts channels of all groups
    together where every block of the unfolding is cut at its own: `step` is how many one more in each adds.
    """

    label: str
    rank_option: str
    at_rank: Callable[[int], Alternative]
    spectrum: Callable[[Kernel], Spectrum]
    step: Callable[[AnyConv], int]

    def options(self) -> tuple[tuple[str, int | str | None], ...]:
        """The alternative's options but for the rank."""
        return tuple(pair for pair in self.at_rank(1).options().items() if pair[0] != self.rank_option)

    def macs(self, layer: Node, conv: AnyConv, rank: int) -> int | NotApplicable:
        """What the layer costs at that rank (the alternative's), counted on the rewritten nodes."""
        stages = self.at_rank(rank).rewrite(layer, conv)
        return stages if isinstance(stages, NotApplicable) else sum(stage.cost.macs for stage in stages)


def _groups(conv: AnyConv) -> int:
    return conv.groups


def _one(conv: AnyConv) -> int:
    return 1


def _by(unfold: spectra.Unfolding) -> Callable[[Kernel], Spectrum]:
    return lambda kernel: spectrum(unfold(kernel))


FAMILIES: tuple[Family, ...] = (
    Family(
        label="spatial-factorised vh",
        rank_option="rank",
        at_rank=lambda rank: SpatialFactorized(rank=rank, order="vh"),
        spectrum=_by(spectra.column_then_row),
        step=_groups,
    ),
    Family(
        label="spatial-factorised hv",
        rank_option="rank",
        at_rank=lambda rank: SpatialFactorized(rank=rank, order="hv"),
        spectrum=_by(spectra.row_then_column),
        step=_groups,
    ),
    Family(
        label="depthwise-separable dw-pw",
        rank_option="multiplier",
        at_rank=lambda rank: DepthwiseSeparable(multiplier=rank, order="dw_pw"),
        spectrum=_by(spectra.by_input_channel),
        step=_one,
    ),
    Family(
        label="depthwise-separable pw-dw",
        rank_option="multiplier",
        at_rank=lambda rank: DepthwiseSeparable(multiplier=rank, order="pw_dw"),
        spectrum=_by(spectra.by_output_channel),
        step=_one,
    ),
)
