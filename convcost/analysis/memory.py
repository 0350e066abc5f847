"""Peak activation memory from liveness alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from convcost.graph import Graph, Node


class _Buffer(NamedTuple):
    """Memory from the first node that touches it to the last."""

    nbytes: int
    first: int
    last: int


def peak_activation_bytes(graph: Graph) -> int:
    """The largest sum of non-weight tensors alive at one node, in execution order.

    A tensor lives from the node that writes it (a network input: the first that reads it) to the last that
    reads it or a view of it; the network's outputs live to the end. Views and in-place results share
    their owner's memory. What passes between the layers of one stacked op counts while it does.
    """
    buffers = _buffers(graph)
    change = [0] * (len(graph.nodes) + 1)
    for buffer in buffers.values():
        change[buffer.first] += buffer.nbytes
        change[buffer.last + 1] -= buffer.nbytes
    peak = live = 0
    for step, delta in enumerate(change):
        live += delta
        peak = max(peak, live)
        if step < len(graph.nodes):
            peak = max(peak, live + _beside(graph.nodes[step], step, buffers))
    return peak


def _buffers(graph: Graph) -> dict[str, _Buffer]:
    nbytes: dict[str, int] = {}
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for step, node in enumerate(graph.nodes):
        for tensor in (*node.operands, *node.outputs):
            if tensor.weight is not None:
                continue
            name = tensor.alias or tensor.name
            if name not in first:
                first[name], nbytes[name] = step, tensor.nbytes
            elif not tensor.alias:  # what a view shows may be more or less than its owner holds
                nbytes[name] = tensor.nbytes
            last[name] = step
    end = len(graph.nodes) - 1
    last.update((name, end) for tensor in graph.outputs if (name := tensor.buffer) in last)
    return {name: _Buffer(nbytes[name], begun, last[name]) for name, begun in first.items()}


def _beside(node: Node, step: int, buffers: Mapping[str, _Buffer]) -> int:
    """How much more a stacked op holds at its last layer, when the inputs that nothing else reads are gone."""
    passing = node.op.passing_bytes(node.outputs)
    if not passing:
        return 0
    ended = {t.buffer for t in node.inputs if buffers[t.buffer].last == step} - {t.buffer for t in node.outputs}
    return passing - sum(buffers[name].nbytes for name in ended)
