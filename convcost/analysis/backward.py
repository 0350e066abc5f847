"""The backward pass of training: which gradients are needed, and what they cost."""

from __future__ import annotations

from convcost.graph import Cost, Graph, Node, Role, Tensor
from convcost.graph.ops import Move, real_products


def backward_costs(graph: Graph, *, inputs_need_gradients: bool = False) -> dict[str, Cost]:
    """The arithmetic of every node's backward pass, by node name; none where no gradient flows.

    MACs are those of input and weight gradients, so about twice the forward pass, less the first layer's
    input gradient. Every other operation of the forward pass is counted once more. A frozen weight has no
    gradient, and a buffer written in place passes on that of what was written.
    """
    flowing = {tensor.name for tensor in graph.inputs if inputs_need_gradients and tensor.dtype.is_differentiable}
    costs: dict[str, Cost] = {}
    for node in graph.nodes:
        needed = tuple(_needs_gradient(tensor, flowing) for tensor in node.operands)
        if not any(needed) or _stops_gradients(node):
            continue
        outputs = [tensor for tensor in node.outputs if tensor.dtype.is_differentiable]
        if outputs:
            flowing.update(name for tensor in outputs for name in _written(node, tensor))
            costs[node.name] = _node_cost(node, needed)
    return costs


def _needs_gradient(tensor: Tensor, flowing: set[str]) -> bool:
    if tensor.name in flowing:
        return True
    weight = tensor.weight
    return weight is not None and weight.role is Role.PARAMETER and weight.trainable and tensor.dtype.is_differentiable


def _written(node: Node, output: Tensor) -> tuple[str, ...]:
    """What holds a computed value after a node: its output, and the buffer that it writes in place."""
    return (output.name,) if node.op.is_view else (output.name, output.buffer)


def _stops_gradients(node: Node) -> bool:
    return isinstance(node.op, Move) and node.op.action == "detach"


def _node_cost(node: Node, needed: tuple[bool, ...]) -> Cost:
    operands = tuple(tensor.shape for tensor in node.operands)
    outputs = tuple(tensor.shape for tensor in node.outputs)
    macs = node.op.gradient_macs(operands, outputs, needed) * real_products(node.operands[:2])
    return node.repeat * Cost(macs=macs, other_ops=node.op.arithmetic(operands, outputs).other_ops)
