"""Graph to Comparison: rewrite, count what stands there, and put the numbers side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from convcost.alternatives.base import Alternative, AnyConv, NotApplicable, RankedAlternative, convolution
from convcost.alternatives.break_even import BreakEven, break_even
from convcost.alternatives.choice import choose
from convcost.alternatives.counting import COUNTED_MAPS, CountedMap, count_stages, counted_at
from convcost.alternatives.pareto import undominated
from convcost.alternatives.result import Candidate, Comparison, LayerComparison, ModelTotal
from convcost.alternatives.standard import Standard
from convcost.alternatives.symbols import with_sides
from convcost.analysis import analyze_graph, unknown_ops
from convcost.errors import UsageError
from convcost.graph import Graph, Node, Weight, distinct_weights

if TYPE_CHECKING:
    from convcost.alternatives.parallel import DeviceShare


def compare_graph(
    graph: Graph,
    alternatives: Sequence[Alternative],
    *,
    layers: Sequence[str] = (),
    kinds: Sequence[str] = (),
    min_kernel: int = 1,
    df: CountedMap = "output",
    devices: int | None = None,
) -> Comparison:
    """The convolutions whose name matches a glob of `layers` and whose kind is one of `kinds` (none: all).

    Of those, the ones whose kernel has a side of `min_kernel`. With `devices`, what one of so many would hold and do.
    Raises `UsageError` when no convolution is chosen, and for a map or a number of devices that cannot be.
    """
    if devices is not None and devices < 1:
        raise UsageError(f"work is shared by at least 1 device, not {devices}")
    if df not in COUNTED_MAPS:
        raise UsageError(f"df is one of {', '.join(COUNTED_MAPS)}, not '{df}'", hint="df='output' is the exact count")
    chosen = choose(graph, layers, kinds, min_kernel)
    convs = [conv for _, conv in chosen]
    alternatives = [each for alternative in alternatives for each in alternative.expand(convs)]
    compared = tuple(_compare_layer(layer, conv, alternatives, df, devices) for layer, conv in chosen)
    totals = [_model_total(graph, [layer for layer, _ in chosen], each, df) for each in alternatives]
    return Comparison(
        target=graph.target,
        source=graph.source,
        df=df,
        layers=compared,
        totals=_marked_totals(totals, compared),
        min_kernel=min_kernel,
        smaller_kernels=len(choose(graph, layers, kinds, 1)) - len(chosen),
        unknown=unknown_ops(graph.nodes),
        notes=graph.notes,
    )


def rewrite_graph(graph: Graph, layers: Sequence[Node], alternative: Alternative) -> tuple[Graph, int]:
    """The graph with `layers` replaced where the alternative applies, and how many were."""
    names = {layer.name for layer in layers}
    nodes: list[Node] = []
    replaced = 0
    for node in graph.nodes:
        conv = convolution(node) if node.name in names else None
        stages = rewritten(node, conv, alternative) if conv else None
        if stages is None or isinstance(stages, NotApplicable):
            nodes.append(node)
        else:
            nodes.extend(stages)
            replaced += stages != (node,)
    weights = _weights_after(graph, nodes)
    return dataclasses.replace(graph, nodes=tuple(nodes), weights=weights, eager_peak_bytes=None), replaced


def rewritten(layer: Node, conv: AnyConv, alternative: Alternative) -> tuple[Node, ...] | NotApplicable:
    """What stands in the layer's place under an alternative, refused at ranks above the full one."""
    if len(layer.operands) < 2 or (layer.operands[1].weight is None and not isinstance(alternative, Standard)):
        return NotApplicable(reason="its kernel is computed by the network, not stored")
    stages = alternative.rewrite(layer, conv)
    if isinstance(stages, NotApplicable) or not isinstance(alternative, RankedAlternative):
        return stages
    reason = alternative.above_full_rank(conv)
    return stages if reason is None else NotApplicable(reason=reason)


def _compare_layer(
    layer: Node, conv: AnyConv, alternatives: Sequence[Alternative], df: CountedMap, devices: int | None
) -> LayerComparison:
    candidates = [_candidate(layer, conv, alternative, df) for alternative in alternatives]
    if devices is not None:
        candidates = [_shared(candidate, devices) for candidate in candidates]
    standard = _candidate(layer, conv, Standard(), df)
    return LayerComparison(
        layer=layer,
        conv=conv,
        standard=standard if devices is None else _shared(standard, devices),
        candidates=_marked(candidates),
    )


def _candidate(layer: Node, conv: AnyConv, alternative: Alternative, df: CountedMap) -> Candidate:
    unfilled = Candidate(alternative=alternative, label=alternative.label(conv))
    match rewritten(layer, conv, alternative):
        case NotApplicable(reason=reason):
            return dataclasses.replace(unfilled, reason=reason)
        case stages:
            return dataclasses.replace(
                unfilled,
                formula=with_sides(alternative.formula(conv), layer.outputs[0].shape[-len(conv.kernel) :]),
                stages=count_stages(stages, df),
                break_even=_break_even(layer, conv, alternative, df),
            )


def _break_even(layer: Node, conv: AnyConv, alternative: Alternative, df: CountedMap) -> BreakEven | None:
    if not isinstance(alternative, RankedAlternative):
        return None
    found = break_even(layer, conv, alternative, df=df)
    return None if isinstance(found, NotApplicable) else found


def _shared(candidate: Candidate, devices: int) -> Candidate:
    from convcost.alternatives.parallel import device_shares

    if not candidate.is_applicable:
        return candidate
    return dataclasses.replace(candidate, devices=device_shares(candidate.stages, devices))


def _marked(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Those that apply, marked by whether another one beats them."""
    applicable = [candidate for candidate in candidates if candidate.is_applicable]
    points = [(each.cost.macs, each.params, each.activation_bytes) for each in applicable]
    marks = iter(undominated(points))
    return tuple(
        dataclasses.replace(candidate, pareto=next(marks)) if candidate.is_applicable else candidate
        for candidate in candidates
    )


def _marked_totals(totals: Sequence[ModelTotal], layers: Sequence[LayerComparison]) -> tuple[ModelTotal, ...]:
    """With the mark, and with the devices' shares of the chosen layers under each alternative."""
    marks = undominated([(total.macs, total.params, total.activation_bytes) for total in totals])
    return tuple(
        dataclasses.replace(total, pareto=mark, devices=_layers_shares(layers, at))
        for at, (total, mark) in enumerate(zip(totals, marks, strict=True))
    )


def _layers_shares(layers: Sequence[LayerComparison], at: int) -> tuple[DeviceShare, ...]:
    """Every layer under the alternative at that place, as it is where that does not apply."""
    if not layers[0].standard.devices:
        return ()
    from convcost.alternatives.parallel import add_shares

    used = [layer.candidates[at] if layer.candidates[at].is_applicable else layer.standard for layer in layers]
    return tuple(add_shares(shares) for shares in zip(*(candidate.devices for candidate in used), strict=True))


def _model_total(graph: Graph, layers: Sequence[Node], alternative: Alternative, df: CountedMap) -> ModelTotal:
    rewritten, replaced = rewrite_graph(graph, layers, alternative)
    analysis = analyze_graph(rewritten)
    return ModelTotal(
        alternative=alternative,
        macs=sum(counted_at(layer, df).cost.macs for layer in analysis.layers),
        params=analysis.totals.params,
        activation_bytes=analysis.totals.activation_bytes,
        peak_activation_bytes=analysis.totals.peak_activation_bytes,
        replaced_layers=replaced,
    )


def _weights_after(graph: Graph, nodes: Sequence[Node]) -> tuple[Weight, ...]:
    """What a rewritten model stores: all it did but the kernels nothing reads any more, and the new ones."""
    read = distinct_weights(tensor for node in nodes for tensor in node.operands)
    still_read = {weight.name for weight in read}
    read_before = {weight.name for weight in distinct_weights(t for node in graph.nodes for t in node.operands)}
    kept = [weight for weight in graph.weights if weight.name in still_read or weight.name not in read_before]
    known = {weight.name for weight in kept}
    return (*kept, *(weight for weight in read if weight.name not in known))
