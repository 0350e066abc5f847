"""Layers added up by what they are or by where they stand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from convcost.analysis.result import Json, Layer, Storage, work_json
from convcost.dataclasses import dataclass
from convcost.graph import Cost

Grouping: TypeAlias = Literal["layer", "kind", "module"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The sum of some layers; `layers` is how many, `backward` None where no layer of them says."""

    name: str
    layers: int
    cost: Cost
    storage: Storage
    activation_bytes: int
    backward: Cost | None = None

    def to_json(self) -> dict[str, Json]:
        return {
            "name": self.name,
            "layers": self.layers,
            "macs": self.cost.macs,
            "other_ops": self.cost.other_ops,
            "flops": self.cost.flops,
            "params": self.storage.params,
            "buffers": self.storage.buffers,
            "weight_bytes": self.storage.weight_bytes,
            "activation_bytes": self.activation_bytes,
            "bytes_moved": self.cost.bytes_moved,
            "backward": work_json(self.backward),
        }


def group_layers(layers: Iterable[Layer], *, by: Grouping, depth: int = 1) -> tuple[Group, ...]:
    """Groups in order of first appearance; `depth` is how many parts of a layer's path name a module.

    `layer1.0.conv1` belongs to `layer1` at depth 1 and to `layer1.0` at depth 2; a layer whose path is no
    longer than that stands for itself.
    """
    members: dict[str, list[Layer]] = {}
    for layer in layers:
        members.setdefault(_key(layer, by, depth), []).append(layer)
    return tuple(add_up(name, group) for name, group in members.items())


def add_up(name: str, layers: Iterable[Layer | Group]) -> Group:
    """One group of everything given, possibly nothing; `layers` counts the members."""
    members = list(layers)
    gradients = [layer.backward for layer in members if layer.backward is not None]
    return Group(
        name=name,
        layers=len(members),
        cost=Cost.total(layer.cost for layer in members),
        storage=add_storage(layer.storage for layer in members),
        activation_bytes=sum(layer.activation_bytes for layer in members),
        backward=Cost.total(gradients) if gradients else None,
    )


def add_storage(parts: Iterable[Storage]) -> Storage:
    """The sum of what several layers store, each tensor charged to one of them."""
    stored = list(parts)
    return Storage(
        params=sum(part.params for part in stored),
        buffers=sum(part.buffers for part in stored),
        weight_bytes=sum(part.weight_bytes for part in stored),
    )


def _key(layer: Layer, by: Grouping, depth: int) -> str:
    match by:
        case "layer":
            return layer.name
        case "kind":
            return layer.node.op.kind
        case "module":
            return ".".join(layer.name.split(".")[:depth])
