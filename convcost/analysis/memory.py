"""Peak activation memory from liveness alone."""

from __future__ import annotations

from convcost.graph import Graph


def peak_activation_bytes(graph: Graph) -> int:
    """The largest sum of non-weight tensors alive at one node, in execution order.

    A tensor lives from the node that writes it (a network input: the first that reads it) to the last that
    reads it or a view of it; the network's outputs live to the end. Views and in-place results share
    their owner's memory.
    """
    size: dict[str, int] = {}
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for step, node in enumerate(graph.nodes):
        for tensor in (*node.inputs, *node.outputs):
            if tensor.weight is not None:
                continue
            if tensor.buffer == tensor.name or tensor.buffer not in size:
                size[tensor.buffer] = tensor.nbytes
            first.setdefault(tensor.buffer, step)
            last[tensor.buffer] = step
    kept = {tensor.buffer for tensor in graph.outputs} & size.keys()
    last.update(dict.fromkeys(kept, len(graph.nodes) - 1))

    change = [0] * (len(graph.nodes) + 1)
    for buffer, nbytes in size.items():
        change[first[buffer]] += nbytes
        change[last[buffer] + 1] -= nbytes
    peak = live = 0
    for delta in change:
        live += delta
        peak = max(peak, live)
    return peak
