"""Graph to Comparison: rewrite, count what stands there, and put the numbers side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fnmatch import fnmatchcase

from convcost.alternatives.base import Alternative, AnyConv, NotApplicable, convolution
from convcost.alternatives.result import Candidate, Comparison, CountedMap, LayerComparison, ModelTotal
from convcost.alternatives.standard import Standard
from convcost.analysis import Layer, analyze_graph, layer_costs
from convcost.errors import UsageError
from convcost.graph import Graph, Node, Weight, distinct_weights
from convcost.graph.ops import Conv, Unknown


def compare_graph(
    graph: Graph,
    alternatives: Sequence[Alternative],
    *,
    layers: Sequence[str] = (),
    min_kernel: int = 1,
    df: CountedMap = "output",
) -> Comparison:
    """Every convolution whose name matches a glob of `layers` (none: all) and whose kernel has a side of `min_kernel`.

    Raises `UsageError` when no convolution is chosen.
    """
    chosen = _choose(graph, layers, min_kernel)
    convs = [conv for _, conv in chosen]
    alternatives = [each for alternative in alternatives for each in alternative.expand(convs)]
    return Comparison(
        target=graph.target,
        source=graph.source,
        df=df,
        layers=tuple(_compare_layer(layer, conv, alternatives, df) for layer, conv in chosen),
        totals=tuple(_model_total(graph, [layer for layer, _ in chosen], each, df) for each in alternatives),
        lower_bound=any(isinstance(node.op, Unknown) for node in graph.nodes),
        notes=graph.notes,
    )


def rewrite_graph(graph: Graph, layers: Sequence[Node], alternative: Alternative) -> tuple[Graph, int]:
    """The graph with `layers` replaced where the alternative applies, and how many were."""
    names = {layer.name for layer in layers}
    nodes: list[Node] = []
    replaced = 0
    for node in graph.nodes:
        conv = convolution(node) if node.name in names else None
        rewritten = _rewrite(node, conv, alternative) if conv else None
        if rewritten is None or isinstance(rewritten, NotApplicable):
            nodes.append(node)
        else:
            nodes.extend(rewritten)
            replaced += rewritten != (node,)
    return dataclasses.replace(graph, nodes=tuple(nodes), weights=_weights_after(graph, nodes)), replaced


def _choose(graph: Graph, layers: Sequence[str], min_kernel: int) -> list[tuple[Node, AnyConv]]:
    found = [(node, conv) for node in graph.nodes if (conv := convolution(node)) is not None]
    if not found:
        raise UsageError(f"'{graph.target}' has no convolution to compare", hint="`convcost analyze` lists its layers")
    matching = [pair for pair in found if not layers or any(fnmatchcase(pair[0].name, glob) for glob in layers)]
    if not matching:
        raise UsageError(f"no convolution is named like {', '.join(layers)}", hint=f"the first is '{found[0][0].name}'")
    chosen = [(node, conv) for node, conv in matching if max(conv.kernel) >= min_kernel]
    if not chosen:
        raise UsageError(
            f"none of {len(matching)} convolutions has a kernel of {min_kernel} or more",
            hint="name pointwise layers with --layer to compare them",
        )
    return chosen


def _compare_layer(layer: Node, conv: AnyConv, alternatives: Sequence[Alternative], df: CountedMap) -> LayerComparison:
    return LayerComparison(
        layer=layer,
        conv=conv,
        standard=_candidate(layer, conv, Standard(), df),
        candidates=tuple(_candidate(layer, conv, alternative, df) for alternative in alternatives),
    )


def _candidate(layer: Node, conv: AnyConv, alternative: Alternative, df: CountedMap) -> Candidate:
    unfilled = Candidate(alternative=alternative, label=alternative.label(conv), formula=alternative.formula(conv))
    match _rewrite(layer, conv, alternative):
        case NotApplicable(reason=reason):
            return dataclasses.replace(unfilled, reason=reason)
        case stages:
            counted = tuple(_counted(stage, df) for stage in layer_costs(stages))
            return dataclasses.replace(unfilled, stages=counted)


def _rewrite(layer: Node, conv: AnyConv, alternative: Alternative) -> tuple[Node, ...] | NotApplicable:
    if len(layer.operands) < 2 or (layer.operands[1].weight is None and not isinstance(alternative, Standard)):
        return NotApplicable(reason="its kernel is computed by the network, not stored")
    return alternative.rewrite(layer, conv)


def _model_total(graph: Graph, layers: Sequence[Node], alternative: Alternative, df: CountedMap) -> ModelTotal:
    rewritten, replaced = rewrite_graph(graph, layers, alternative)
    analysis = analyze_graph(rewritten)
    return ModelTotal(
        alternative=alternative,
        macs=sum(_counted(layer, df).cost.macs for layer in analysis.layers),
        params=analysis.totals.params,
        activation_bytes=analysis.totals.activation_bytes,
        peak_activation_bytes=analysis.totals.peak_activation_bytes,
        replaced_layers=replaced,
    )


def _counted(layer: Layer, df: CountedMap) -> Layer:
    """The layer counted at the map that texts with `--df input` mean; transposed convolutions are there already."""
    node = layer.node
    if df == "output" or not isinstance(node.op, Conv):
        return layer
    macs = node.op.arithmetic_at(node.operands[0].shape).macs * node.repeat
    return dataclasses.replace(layer, cost=dataclasses.replace(layer.cost, macs=macs))


def _weights_after(graph: Graph, nodes: Sequence[Node]) -> tuple[Weight, ...]:
    """What a rewritten model stores: all it did but the kernels nothing reads any more, and the new ones."""
    read = distinct_weights(tensor for node in nodes for tensor in node.operands)
    still_read = {weight.name for weight in read}
    read_before = {weight.name for weight in distinct_weights(t for node in graph.nodes for t in node.operands)}
    kept = [weight for weight in graph.weights if weight.name in still_read or weight.name not in read_before]
    known = {weight.name for weight in kept}
    return (*kept, *(weight for weight in read if weight.name not in known))
