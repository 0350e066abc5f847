"""Whose a weight is that is copied before it is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from convcost.analysis.result import NOTHING, Layer, Storage
from convcost.graph.ops import Move


def handed_on(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """The same layers, each copy's weights charged to the first layer that works with the copy.

    Autocast casts the weight of a linear layer, and it is the linear layer that has parameters. Only what is made of
    weights alone is such a copy.
    """
    if not any(layer.storage is not NOTHING and isinstance(layer.node.op, Move) for layer in layers):
        return layers
    storages = [layer.storage for layer in layers]
    for copy, worker in _workers(layers).items():
        if storages[copy] is not NOTHING:
            storages[worker], storages[copy] = _sum(storages[worker], storages[copy]), NOTHING
    return tuple(
        layer if storage is layer.storage else replace(layer, storage=storage)
        for layer, storage in zip(layers, storages, strict=True)
    )


def _workers(layers: Sequence[Layer]) -> dict[int, int]:
    """For each copy that is worked with, however often it was copied again, the first layer to do so."""
    copies = _copies(layers)
    readers: dict[str, int] = {}  # by the memory that they read
    workers: dict[int, int] = {}
    for index in reversed(range(len(layers))):
        node, worker = layers[index].node, index
        if index in copies:
            worker = min((readers[t.buffer] for t in node.outputs if t.buffer in readers), default=-1)
            if worker < 0:
                continue
            workers[index] = worker
        for tensor in node.operands:
            readers[tensor.buffer] = min(worker, readers.get(tensor.buffer, worker))
    return workers


def _copies(layers: Sequence[Layer]) -> frozenset[int]:
    """The places of moves of nothing but weights, or copies of them."""
    places: set[int] = set()
    made: set[str] = set()
    for index, layer in enumerate(layers):
        node = layer.node
        if isinstance(node.op, Move) and all(each.weight is not None or each.name in made for each in node.operands):
            places.add(index)
            made.update(tensor.name for tensor in node.outputs)
    return frozenset(places)


def _sum(left: Storage, right: Storage) -> Storage:
    return Storage(
        params=left.params + right.params,
        buffers=left.buffers + right.buffers,
        weight_bytes=left.weight_bytes + right.weight_bytes,
    )
