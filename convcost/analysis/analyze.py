"""Graph to Analysis in one pass over the nodes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from convcost.analysis.backward import backward_costs
from convcost.analysis.memory import peak_activation_bytes
from convcost.analysis.result import Analysis, Layer, Storage, Totals, UnknownOp
from convcost.errors import ShapeError
from convcost.graph import Cost, Graph, Node
from convcost.graph.collection import uncollected
from convcost.graph.ops import Unknown


def analyze_graph(graph: Graph, *, backward: bool = False) -> Analysis:
    """Every layer's cost, the totals, the peak, and what could not be counted; `backward` adds the gradients'."""
    with uncollected():
        return _analyzed(graph, backward=backward)


def _analyzed(graph: Graph, *, backward: bool) -> Analysis:
    layers = layer_costs(graph.nodes)
    if backward:
        gradients = backward_costs(graph)
        layers = tuple(replace(layer, backward=gradients.get(layer.name, Cost())) for layer in layers)
    used = {tensor.weight.name for node in graph.nodes for tensor in node.operands if tensor.weight is not None}
    totals = Totals(
        cost=Cost.total(layer.cost for layer in layers),
        storage=Storage.of(graph.weights),
        activation_bytes=sum(layer.activation_bytes for layer in layers),
        peak_activation_bytes=peak_activation_bytes(graph),
    )
    return Analysis(
        target=graph.target,
        source=graph.source,
        inputs=graph.inputs,
        totals=totals,
        layers=layers,
        unknown=unknown_ops(graph.nodes),
        unused=Storage.of(weight for weight in graph.weights if weight.name not in used),
        notes=(*graph.notes, *_causal_note(graph.nodes)),
        backward=Cost.total(layer.backward for layer in layers if layer.backward) if backward else None,
        eager_peak_bytes=graph.eager_peak_bytes,
    )


def layer_costs(nodes: Iterable[Node]) -> tuple[Layer, ...]:
    """Each node with its cost; a weight is charged to the first node that reads it. Raises `ShapeError` for a cost
    below zero, which only an op of sizes that cannot be has."""
    charged: set[str] = set()
    layers = []
    for node in nodes:
        new = [weight for weight in node.weights if weight.name not in charged]
        charged.update([weight.name for weight in new])
        cost = node.cost
        if cost.macs < 0 or cost.other_ops < 0:
            raise ShapeError(f"'{node.name}' comes to less than nothing: its attributes contradict its sizes")
        layers.append(
            Layer(
                node=node,
                cost=cost,
                storage=Storage.of(new),
                activation_bytes=node.repeat * sum([tensor.nbytes for tensor in node.outputs if not tensor.alias]),
            )
        )
    return tuple(layers)


def unknown_ops(nodes: Iterable[Node]) -> tuple[UnknownOp, ...]:
    """What could not be counted, in execution order; the same operator for the same reason is one."""
    found: dict[tuple[str, str], list[str]] = {}
    for node in nodes:
        if isinstance(node.op, Unknown):
            found.setdefault((node.op.operator, node.op.reason), []).append(node.name)
    return tuple(
        UnknownOp(operator=operator, layers=tuple(layers), reason=reason)
        for (operator, reason), layers in found.items()
    )


def _causal_note(nodes: Iterable[Node]) -> tuple[str, ...]:
    masked = [(node, kept) for node in nodes if (kept := node.op.masked_macs(node.operands)) is not None]
    if not masked:
        return ()
    dense = sum(node.cost.macs for node, _ in masked)
    kept = sum(node.repeat * macs for node, macs in masked)
    return (
        f"{len(masked)} causal attention ops are counted dense ({dense:,} MACs); "
        f"a kernel that skips masked products needs {kept:,}",
    )
