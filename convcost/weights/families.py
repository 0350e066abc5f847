"""The families whose rank a trained kernel decides: how each unfolds a kernel, and what each rank would cost."""

from __future__ import annotations

from collections.abc import Callable

from convcost.alternatives import (
    Alternative,
    AnyConv,
    ChannelLowRank,
    DepthwiseSeparable,
    Gsvd,
    NotApplicable,
    RankedAlternative,
    SpatialFactorized,
    Tucker2,
)
from convcost.dataclasses import dataclass
from convcost.graph import Node
from convcost.weights import spectra
from convcost.weights.layout import Kernel
from convcost.weights.spectra import Spectrum, spectrum
from convcost.weights.tucker import tucker_spectrum


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One way to factor a kernel at a rank: `ranked` with its options, at any rank.

    Every block of the unfolding is cut at the same rank; the alternative's own rank is `ranked.rank_step` times
    that, since it counts the channels of all groups together.
    """

    label: str
    ranked: RankedAlternative
    spectrum: Callable[[Kernel], Spectrum]

    @property
    def name(self) -> str:
        return self.ranked.name

    def options(self) -> tuple[tuple[str, int | str | None], ...]:
        """The alternative's options but for the rank."""
        one, two = self.ranked.at_rank(1).options(), self.ranked.at_rank(2).options()
        return tuple((key, value) for key, value in one.items() if value == two[key])

    def at_rank(self, conv: AnyConv, rank: int) -> Alternative:
        """The alternative at a rank; where it has two, neither above what its channels can have."""
        if isinstance(self.ranked, Tucker2):
            return Tucker2(rank_in=min(rank, conv.in_channels), rank_out=min(rank, conv.out_channels))
        return self.ranked.at_rank(rank)

    def macs(self, layer: Node, conv: AnyConv, rank: int) -> int | NotApplicable:
        """What the layer costs at that rank (the alternative's), counted on the rewritten nodes."""
        stages = self.at_rank(conv, rank).rewrite(layer, conv)
        return stages if isinstance(stages, NotApplicable) else sum(stage.cost.macs for stage in stages)


def gsvd_families(groups: int) -> tuple[Family, Family]:
    """Low rank within so many groups of input channels (the filters first), or of output channels (1×1 first)."""
    return (
        Family(
            label=f"gsvd G={groups}",
            ranked=Gsvd(groups=groups, order="conv_pw"),
            spectrum=_by(spectra.by_input_group(groups)),
        ),
        Family(
            label=f"gsvd G={groups} pw-conv",
            ranked=Gsvd(groups=groups, order="pw_conv"),
            spectrum=_by(spectra.by_output_group(groups)),
        ),
    )


def _by(unfold: spectra.Unfolding) -> Callable[[Kernel], Spectrum]:
    return lambda kernel: spectrum(unfold(kernel))


FAMILIES: tuple[Family, ...] = (
    Family(
        label="spatial-factorised vh",
        ranked=SpatialFactorized(order="vh"),
        spectrum=_by(spectra.column_then_row),
    ),
    Family(
        label="spatial-factorised hv",
        ranked=SpatialFactorized(order="hv"),
        spectrum=_by(spectra.row_then_column),
    ),
    Family(
        label="depthwise-separable dw-pw",
        ranked=DepthwiseSeparable(order="dw_pw"),
        spectrum=_by(spectra.by_input_channel),
    ),
    Family(
        label="depthwise-separable pw-dw",
        ranked=DepthwiseSeparable(order="pw_dw"),
        spectrum=_by(spectra.by_output_channel),
    ),
    Family(
        label="channel-lowrank conv-pw",
        ranked=ChannelLowRank(order="conv_pw"),
        spectrum=_by(spectra.outputs_against_the_rest),
    ),
    Family(
        label="channel-lowrank pw-conv",
        ranked=ChannelLowRank(order="pw_conv"),
        spectrum=_by(spectra.inputs_against_the_rest),
    ),
    Family(label="tucker2", ranked=Tucker2(), spectrum=tucker_spectrum),
    *gsvd_families(4),
)
