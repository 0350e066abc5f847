"""A convolution's alternatives: one module per family, one table, and the comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from convcost.alternatives import options
from convcost.alternatives.base import Alternative, AnyConv, NotApplicable, RankedAlternative, convolution
from convcost.alternatives.bottleneck import Bottleneck
from convcost.alternatives.break_even import BreakEven, break_even
from convcost.alternatives.channel_lowrank import ChannelLowRank
from convcost.alternatives.compare import compare_graph, rewrite_graph
from convcost.alternatives.counting import CountedMap
from convcost.alternatives.cp import Cp
from convcost.alternatives.depthwise_separable import DepthwiseSeparable
from convcost.alternatives.fft import Fft
from convcost.alternatives.grouped import Grouped
from convcost.alternatives.gsvd import Gsvd
from convcost.alternatives.parallel import DeviceShare, device_shares
from convcost.alternatives.pareto import undominated
from convcost.alternatives.result import Candidate, Comparison, LayerComparison, ModelTotal
from convcost.alternatives.spatial import SpatialFactorized, SpatialSeparable
from convcost.alternatives.stacked import Stacked
from convcost.alternatives.standard import Standard
from convcost.alternatives.tucker2 import Tucker2
from convcost.alternatives.winograd import Winograd

__all__ = [
    "ALTERNATIVES",
    "DEFAULT_ALTERNATIVES",
    "Alternative",
    "AnyConv",
    "Bottleneck",
    "BreakEven",
    "Candidate",
    "ChannelLowRank",
    "Comparison",
    "CountedMap",
    "Cp",
    "DepthwiseSeparable",
    "DeviceShare",
    "Fft",
    "Grouped",
    "Gsvd",
    "LayerComparison",
    "ModelTotal",
    "NotApplicable",
    "RankedAlternative",
    "SpatialFactorized",
    "SpatialSeparable",
    "Stacked",
    "Standard",
    "Tucker2",
    "Winograd",
    "break_even",
    "build_alternatives",
    "compare_graph",
    "convolution",
    "device_shares",
    "parse_alternatives",
    "rewrite_graph",
    "undominated",
]

ALTERNATIVES: dict[str, type[Alternative]] = {
    family.name: family
    for family in (
        Standard,
        SpatialSeparable,
        SpatialFactorized,
        DepthwiseSeparable,
        Grouped,
        ChannelLowRank,
        Bottleneck,
        Tucker2,
        Cp,
        Gsvd,
        Stacked,
        Winograd,
        Fft,
    )
}

DEFAULT_ALTERNATIVES: tuple[Alternative, ...] = (
    Standard(),
    SpatialSeparable(),
    SpatialFactorized(),
    DepthwiseSeparable(),
    Grouped(groups=4),
)


def parse_alternatives(text: str) -> tuple[Alternative, ...]:
    """Reads `--alternatives`: `depthwise_separable,grouped[groups=4]`. Raises `UsageError`."""
    return options.parse_alternatives(text, ALTERNATIVES)


def build_alternatives(name: str, values: Mapping[str, Sequence[object]]) -> tuple[Alternative, ...]:
    """One alternative per combination of option values, as a spec's `{name: grouped, groups: [2, 4]}` asks."""
    return options.build_alternatives(name, values, ALTERNATIVES)
