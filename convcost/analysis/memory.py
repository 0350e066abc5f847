"""Peak activation memory from liveness alone."""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple

from convcost.graph import Graph, Node


class _Buffers(NamedTuple):
    """Memory by its owner's name: the bytes, and the first and the last step that touches it, all in one order."""

    nbytes: dict[str, int]
    first: dict[str, int]
    last: dict[str, int]


def peak_activation_bytes(graph: Graph) -> int:
    """The largest sum of non-weight tensors alive at one node, in execution order.

    A tensor lives from the node that writes it (a network input: the first that reads it) to the last that
    reads it or a view of it; the network's outputs live to the end. Views and in-place results share
    their owner's memory. What passes between the layers of one stacked op counts while it does.
    """
    buffers = _buffers(graph)
    change = [0] * (len(graph.nodes) + 1)
    for nbytes, first, last in zip(*(column.values() for column in buffers), strict=True):
        change[first] += nbytes
        change[last + 1] -= nbytes
    live = list(accumulate(change))
    stacked = [
        live[step] + passing - _ended(node, step, buffers)
        for step, node in enumerate(graph.nodes)
        if (passing := node.op.passing_bytes(node.outputs))
    ]
    return max(live + stacked)


def _buffers(graph: Graph) -> _Buffers:
    buffers = nbytes, first, last = _Buffers({}, {}, {})
    for step, node in enumerate(graph.nodes):
        for tensor in node.operands + node.outputs:
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
    return buffers


def _ended(node: Node, step: int, buffers: _Buffers) -> int:
    """What is gone at a stacked op's last layer: the inputs that nothing else reads."""
    ended = {t.buffer for t in node.inputs if buffers.last[t.buffer] == step} - {t.buffer for t in node.outputs}
    return sum([buffers.nbytes[name] for name in ended])
