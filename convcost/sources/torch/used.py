"""Which nodes do what somebody sees."""

from __future__ import annotations

from convcost.graph import Graph


def used_nodes(graph: Graph) -> frozenset[str]:
    """The names of nodes whose results reach an output, or are written into an input or a stored tensor.

    Memory counts, not tensors: whatever is written into memory that is read later is used, through any view of it.
    """
    read = {tensor.buffer for tensor in (*graph.inputs, *graph.outputs)} | {weight.name for weight in graph.weights}
    used: set[str] = set()
    for node in reversed(graph.nodes):
        if any(output.buffer in read for output in node.outputs):
            used.add(node.name)
            read.update(operand.buffer for operand in node.operands)
    return frozenset(used)
