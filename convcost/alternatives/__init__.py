"""A convolution's alternatives: one module per family, one table, and the comparison."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from convcost.alternatives import options
from convcost.alternatives.base import Alternative, AnyConv, NotApplicable, RankedAlternative, convolution
from convcost.alternatives.break_even import BreakEven, break_even
from convcost.alternatives.compare import compare_graph, rewrite_graph
from convcost.alternatives.counting import COUNTED_MAPS, CountedMap
from convcost.alternatives.depthwise_separable import DepthwiseSeparable
from convcost.alternatives.grouped import Grouped
from convcost.alternatives.pareto import undominated
from convcost.alternatives.result import Candidate, Comparison, LayerComparison, ModelTotal
from convcost.alternatives.spatial import SpatialFactorized, SpatialSeparable
from convcost.alternatives.standard import Standard
from convcost.alternatives.table import FamilyTable

if TYPE_CHECKING:
    from convcost.alternatives.bottleneck import Bottleneck
    from convcost.alternatives.channel_lowrank import ChannelLowRank
    from convcost.alternatives.cp import Cp
    from convcost.alternatives.fft import Fft
    from convcost.alternatives.gsvd import Gsvd
    from convcost.alternatives.parallel import DeviceShare, device_shares
    from convcost.alternatives.stacked import Stacked
    from convcost.alternatives.tucker2 import Tucker2
    from convcost.alternatives.winograd import Winograd

__all__ = [
    "ALTERNATIVES",
    "COUNTED_MAPS",
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

ALTERNATIVES = FamilyTable(
    {
        "standard": "convcost.alternatives.standard:Standard",
        "spatial_separable": "convcost.alternatives.spatial:SpatialSeparable",
        "spatial_factorized": "convcost.alternatives.spatial:SpatialFactorized",
        "depthwise_separable": "convcost.alternatives.depthwise_separable:DepthwiseSeparable",
        "grouped": "convcost.alternatives.grouped:Grouped",
        "channel_lowrank": "convcost.alternatives.channel_lowrank:ChannelLowRank",
        "bottleneck": "convcost.alternatives.bottleneck:Bottleneck",
        "tucker2": "convcost.alternatives.tucker2:Tucker2",
        "cp": "convcost.alternatives.cp:Cp",
        "gsvd": "convcost.alternatives.gsvd:Gsvd",
        "stacked": "convcost.alternatives.stacked:Stacked",
        "winograd": "convcost.alternatives.winograd:Winograd",
        "fft": "convcost.alternatives.fft:Fft",
    }
)

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


_LATER = {
    "Bottleneck": "convcost.alternatives.bottleneck",
    "ChannelLowRank": "convcost.alternatives.channel_lowrank",
    "Cp": "convcost.alternatives.cp",
    "DeviceShare": "convcost.alternatives.parallel",
    "Fft": "convcost.alternatives.fft",
    "Gsvd": "convcost.alternatives.gsvd",
    "Stacked": "convcost.alternatives.stacked",
    "Tucker2": "convcost.alternatives.tucker2",
    "Winograd": "convcost.alternatives.winograd",
    "device_shares": "convcost.alternatives.parallel",
}
"""Where the names are that most runs do not need."""


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module 'convcost.alternatives' has no attribute '{name}'")
    return getattr(importlib.import_module(_LATER[name]), name)
