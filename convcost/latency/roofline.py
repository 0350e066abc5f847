"""The least time a cost can take on a device, and what limits it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from convcost.analysis.result import Json
from convcost.dataclasses import dataclass
from convcost.graph import FLOPS_PER_MAC, Cost, DType, Node
from convcost.latency.device import Device

Bound: TypeAlias = Literal["compute", "memory"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Roofline:
    """Seconds that arithmetic and memory traffic take at the device's peaks. Source: Williams et al. 2009.

    Traffic is the compulsory one; what really moves can only be more, so `attainable` is a lower bound
    (data that stays in a cache may still beat it).
    """

    compute: float
    memory: float
    attainable: float
    bound: Bound

    def share_reached(self, seconds: float) -> float:
        """Attainable over measured: 1.0 is a layer that runs at the device's limit."""
        return self.attainable / seconds

    def to_json(self) -> dict[str, Json]:
        return {
            "bound": self.bound,
            "attainable_ms": self.attainable * 1000,
            "compute_ms": self.compute * 1000,
            "memory_ms": self.memory * 1000,
        }


def roofline(cost: Cost, dtype: DType, device: Device) -> Roofline | None:
    """None where there is arithmetic and the device names no peak for its element type.

    Other operations count as half a multiply-accumulate each.
    """
    peak = device.peaks.get(dtype)
    if peak is None and cost.flops:
        return None
    compute = cost.flops / (FLOPS_PER_MAC * peak) if peak else 0.0
    memory = cost.bytes_moved / device.bytes_per_second
    bound: Bound = "compute" if compute > memory else "memory"
    return Roofline(compute=compute, memory=memory, attainable=max(compute, memory), bound=bound)


def node_roofline(node: Node, device: Device) -> Roofline | None:
    """A layer's, at the element type of its first result."""
    return roofline(node.cost, node.outputs[0].dtype, device) if node.outputs else None


def chain_roofline(nodes: Iterable[Node], device: Device) -> Roofline | None:
    """Layers that run one after the other: their times add, and where most is spent names the bound.

    None where one of them has no roofline.
    """
    parts = [node_roofline(node, device) for node in nodes]
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return None
    attainable = sum(part.attainable for part in known)
    by_arithmetic = sum(part.attainable for part in known if part.bound == "compute")
    return Roofline(
        compute=sum(part.compute for part in known),
        memory=sum(part.memory for part in known),
        attainable=attainable,
        bound="compute" if 2 * by_arithmetic > attainable else "memory",
    )
