"""Graph to Analysis in one pass over the nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from convcost.analysis.alike import Alike, Work
from convcost.analysis.handed_on import handed_on
from convcost.analysis.memory import peak_activation_bytes
from convcost.analysis.result import NOTHING, Analysis, Layer, Storage, Totals, UnknownOp
from convcost.dataclasses import maker
from convcost.graph import Cost, Graph, Node
from convcost.graph.collection import uncollected
from convcost.graph.ops import Unknown

_layer: Callable[[Node, Cost, Storage, int], Layer] = maker(Layer, "node", "cost", "storage", "activation_bytes")


def analyze_graph(graph: Graph, *, backward: bool = False) -> Analysis:
    """Every layer's cost, the totals, the peak, and what could not be counted; `backward` adds the gradients'."""
    with uncollected():
        return _analyzed(graph, backward=backward)


def _analyzed(graph: Graph, *, backward: bool) -> Analysis:
    read: set[str] = set()
    layers = handed_on(_layers(graph.nodes, Alike(), read))
    if backward:
        from convcost.analysis.backward import backward_costs

        gradients = backward_costs(graph)
        layers = tuple(replace(layer, backward=gradients.get(layer.name, Cost())) for layer in layers)
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
        unused=Storage.of(weight for weight in graph.weights if weight.name not in read),
        notes=(*graph.notes, *_causal_note(graph.nodes)),
        backward=Cost.total(layer.backward for layer in layers if layer.backward) if backward else None,
        eager_peak_bytes=graph.eager_peak_bytes,
    )


def layer_costs(nodes: Iterable[Node]) -> tuple[Layer, ...]:
    """Each node with its cost; a weight is charged to the first node that reads it. Raises `ShapeError` for a cost
    below zero, which only an op of sizes that cannot be has."""
    return _layers(nodes, None, set())


def _layers(nodes: Iterable[Node], alike: Alike | None, read: set[str]) -> tuple[Layer, ...]:
    """The same, nodes of a kind sharing what they come to where sizes are plain numbers (as those of a grid are not).

    `read` is given the names of all weights.
    """
    work_of, storage_of = (alike.work, alike.storage) if alike else (Work.of, Storage.of)
    layers = []
    for node in nodes:
        new = []
        for tensor in node.operands:
            weight = tensor.weight
            if weight is not None and weight.name not in read:
                read.add(weight.name)
                new.append(weight)
        cost, activation_bytes = work_of(node)
        storage = storage_of(new) if new else NOTHING
        layers.append(_layer(node, cost, storage, activation_bytes))
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
