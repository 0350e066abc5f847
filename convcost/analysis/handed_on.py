"""Whose a weight is that is copied before it is used."""

from __future__ import annotations

from dataclasses import replace

from convcost.analysis.result import Layer, Storage
from convcost.graph.ops import Move


def handed_on(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """The same layers, each copy's weights charged to the first layer that works with the copy.

    Autocast casts the weight of a linear layer, and it is the linear layer that has parameters. Only what is made of
    weights alone is such a copy.
    """
    copies: dict[str, int] = {}
    storages: dict[int, Storage] = {}
    for index, layer in enumerate(layers):
        storage, operands = layer.storage, layer.node.operands
        for copy in {copies[tensor.name] for tensor in operands if tensor.name in copies} if copies else ():
            storage = storages[index] = _sum(storage, storages.get(copy, layers[copy].storage))
            storages[copy] = Storage()
        if isinstance(layer.node.op, Move) and (storage.params or storage.buffers):
            if all(tensor.weight is not None or tensor.name in copies for tensor in operands):
                copies.update((tensor.name, index) for tensor in layer.node.outputs)
    if not storages:
        return layers
    return tuple(
        replace(layer, storage=storages[index]) if index in storages else layer for index, layer in enumerate(layers)
    )


def _sum(left: Storage, right: Storage) -> Storage:
    return Storage(
        params=left.params + right.params,
        buffers=left.buffers + right.buffers,
        weight_bytes=left.weight_bytes + right.weight_bytes,
    )
