"""Whose a weight is that is copied before it is used."""

from __future__ import annotations

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
    copies: dict[str, int] = {}
    storages = [layer.storage for layer in layers]
    for index, layer in enumerate(layers):
        operands = layer.node.operands
        for copy in [copies[tensor.name] for tensor in operands if tensor.name in copies]:
            if storages[copy] is not NOTHING:
                storages[index], storages[copy] = _sum(storages[index], storages[copy]), NOTHING
        if isinstance(layer.node.op, Move) and all(each.weight is not None or each.name in copies for each in operands):
            copies.update((tensor.name, index) for tensor in layer.node.outputs)
    return tuple(
        layer if storage is layer.storage else replace(layer, storage=storage)
        for layer, storage in zip(layers, storages, strict=True)
    )


def _sum(left: Storage, right: Storage) -> Storage:
    return Storage(
        params=left.params + right.params,
        buffers=left.buffers + right.buffers,
        weight_bytes=left.weight_bytes + right.weight_bytes,
    )
