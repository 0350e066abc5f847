"""The backward pass of training: which gradients are needed, and what they cost."""

from __future__ import annotations

from convcost.graph import Cost, Graph, Node, Role, Tensor
from convcost.graph.ops import real_products


def backward_costs(graph: Graph, *, inputs_need_gradients: bool = False) -> dict[str, Cost]:
    """The arithmetic of every node's backward pass, by node name; none where no gradient flows.

    MACs are those of input and weight gradients, so about twice the forward pass, less the first layer's
    input gradient. Every other operation of the forward pass is counted once more. A frozen weight has no
    gradient, and a buffer written in place passes on that of what was written. What is done with gradients off
    has none either, and changes in place without changing where gradients flow; what no output depends on gets none.
    """
    flowing, training = _forward(graph, inputs_need_gradients=inputs_need_gradients)
    return {node.name: _node_cost(node, needed) for node, needed in _reached(graph, flowing, training)}


_Training = list[tuple[Node, tuple[bool, ...]]]
"""Nodes with which of their operands want a gradient."""


def _forward(graph: Graph, *, inputs_need_gradients: bool) -> tuple[set[str], _Training]:
    """Which tensors depend on something trained, and the nodes that pass the dependence on."""
    flowing = {tensor.name for tensor in graph.inputs if inputs_need_gradients and tensor.dtype.is_differentiable}
    training: _Training = []
    for node in graph.nodes:
        if node.stops_gradients:
            flowing.update(tensor.name for tensor in _changed_in_place(node) if tensor.buffer in flowing)
            continue
        needed = tuple(_needs_gradient(tensor, flowing) for tensor in node.operands)
        outputs = [tensor for tensor in node.outputs if tensor.dtype.is_differentiable]
        if any(needed) and outputs:
            flowing.update(name for tensor in outputs for name in _written(node, tensor))
            training.append((node, needed))
    return flowing, training


def _reached(graph: Graph, flowing: set[str], training: _Training) -> _Training:
    """The nodes that a gradient comes back to: those that something the network gives depends on.

    A network that gives no real numbers, but classes, is trained on something inside it: all of it is reached.
    """
    given = [tensor for tensor in graph.outputs if tensor.dtype.is_differentiable]
    if not given:
        return training
    reached = {name for tensor in given if tensor.name in flowing for name in (tensor.name, tensor.buffer)}
    found: _Training = []
    for node, needed in reversed(training):
        if any(name in reached for tensor in node.outputs for name in _written(node, tensor)):
            found.append((node, needed))
            wanted = (tensor for tensor in node.operands if tensor.name in flowing)
            reached.update(name for tensor in wanted for name in (tensor.name, tensor.buffer))
    return found[::-1]


def _needs_gradient(tensor: Tensor, flowing: set[str]) -> bool:
    if tensor.name in flowing:
        return True
    weight = tensor.weight
    return weight is not None and weight.role is Role.PARAMETER and weight.trainable and tensor.dtype.is_differentiable


def _written(node: Node, output: Tensor) -> tuple[str, ...]:
    """What holds a computed value after a node: its output, and the buffer that it writes in place."""
    return (output.name,) if node.op.is_view else (output.name, output.buffer)


def _changed_in_place(node: Node) -> tuple[Tensor, ...]:
    return () if node.op.is_view else tuple(tensor for tensor in node.outputs if tensor.alias)


def _node_cost(node: Node, needed: tuple[bool, ...]) -> Cost:
    operands = tuple(tensor.shape for tensor in node.operands)
    outputs = tuple(tensor.shape for tensor in node.outputs)
    macs = node.op.gradient_macs(operands, outputs, needed) * real_products(node.operands[:2])
    return node.repeat * Cost(macs=macs, other_ops=node.op.arithmetic(operands, outputs).other_ops)
