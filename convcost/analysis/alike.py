"""What alike nodes come to is worked out once and shared: networks repeat their blocks."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple, TypeAlias

from convcost.analysis.result import Storage
from convcost.errors import ShapeError
from convcost.graph import Cost, Node, Weight
from convcost.graph.cache import BoundedCache

Key: TypeAlias = tuple[object, ...]


class Work(NamedTuple):
    """What a node costs, all its repetitions together, and the bytes it adds to the activations."""

    cost: Cost
    activation_bytes: int

    @classmethod
    def of(cls, node: Node) -> Work:
        """Raises `ShapeError` for a cost below zero, which only an op of sizes that cannot be has."""
        cost = node.cost
        if cost.macs < 0 or cost.other_ops < 0:
            raise ShapeError(f"'{node.name}' comes to less than nothing: its attributes contradict its sizes")
        new = sum([tensor.nbytes for tensor in node.outputs if not tensor.alias])
        return cls(cost, node.repeat * new)


class Alike:
    """Remembers the nodes and the stored tensors of one analysis."""

    def __init__(self) -> None:
        self._works: BoundedCache[Key, Work] = BoundedCache()
        self._storages: BoundedCache[Key, Storage] = BoundedCache()

    def work(self, node: Node) -> Work:
        """`Work.of` this node or one like it."""
        key = _key_of(node)
        found = self._works.get(key)
        if found is None:
            found = self._works[key] = Work.of(node)
        return found

    def storage(self, weights: Collection[Weight]) -> Storage:
        """`Storage.of` these weights or some like them."""
        key = tuple([(weight.role, weight.shape, weight.dtype, weight.packed) for weight in weights])
        found = self._storages.get(key)
        if found is None:
            found = self._storages[key] = Storage.of(weights)
        return found


def _key_of(node: Node) -> Key:
    """All that a cost can hang on: the op, the form of each tensor, and which operands are one tensor, read once."""
    key: list[object] = [node.op, node.repeat, len(node.operands)]
    places: dict[str, int] = {}
    for tensor in node.operands:
        key += (tensor.shape, tensor.dtype, places.setdefault(tensor.name, len(places)))
    for tensor in node.outputs:
        key += (tensor.shape, tensor.dtype, not tensor.alias)
    return tuple(key)
