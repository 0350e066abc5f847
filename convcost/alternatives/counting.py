"""What stages cost, at the feature map a text means."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Literal, TypeAlias, get_args

from convcost.analysis import Layer, layer_costs
from convcost.graph import Node
from convcost.graph.ops import Conv

CountedMap: TypeAlias = Literal["output", "input"]
COUNTED_MAPS: tuple[CountedMap, ...] = get_args(CountedMap)
"""Which feature map `D_F` is: a convolution's output (exact), or its input as many texts write."""


def count_stages(stages: Iterable[Node], df: CountedMap) -> tuple[Layer, ...]:
    """Every stage with its cost."""
    return tuple(counted_at(layer, df) for layer in layer_costs(stages))


def counted_at(layer: Layer, df: CountedMap) -> Layer:
    """The layer counted at that map; transposed convolutions are counted at their input either way."""
    node = layer.node
    if df == "output" or not isinstance(node.op, Conv):
        return layer
    macs = node.op.arithmetic_at(node.operands[0].shape).macs * node.repeat
    return dataclasses.replace(layer, cost=dataclasses.replace(layer.cost, macs=macs))
