"""A convolution beside its alternatives, all measured in turn with each other."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from convcost.alternatives import Candidate, Comparison, LayerComparison
from convcost.dataclasses import dataclass
from convcost.latency.device import Device
from convcost.latency.protocol import Protocol
from convcost.latency.result import Measurement, NotMeasurable
from convcost.latency.roofline import chain_roofline
from convcost.latency.session import INTERRUPTED, measure, was_interrupted
from convcost.latency.setting import Setting
from convcost.latency.wording import verdict_text
from convcost.latency.workload import GraphNodes, Workload, graph_of_nodes


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateLatencies:
    """The latencies of a layer as it is and of its candidates, in the comparison's order."""

    layer: LayerComparison
    standard: Measurement | NotMeasurable
    candidates: tuple[Measurement | NotMeasurable, ...]

    @property
    def interrupted(self) -> bool:
        """Whether the user broke the measurement off."""
        found = (self.standard, *self.candidates)
        return was_interrupted({str(position): each for position, each in enumerate(found)})

    def verdict(self, position: int, device: Device | None = None) -> str:
        """MACs saved beside time saved, in words; with a device also what bounds the candidate."""
        candidate = self.layer.candidates[position]
        limit = chain_roofline([stage.node for stage in candidate.stages], device) if device else None
        return verdict_text(
            macs=(self.layer.standard.cost.macs, candidate.cost.macs),
            latencies=(self.standard, self.candidates[position]),
            bound=limit.bound if limit else None,
        )


def measure_candidates(
    layer: LayerComparison, setting: Setting, protocol: Protocol | None = None
) -> CandidateLatencies:
    """Builds the layer and each applicable candidate in the setting's runtime; one that is the layer is not run twice.

    Single layers want `Setting(cold_cache=True)` on a GPU.
    """
    kept = {str(position): each for position, each in enumerate(layer.candidates) if not _is_standard(each, layer)}
    workloads: dict[str, Workload] = {"standard": _workload(layer.standard)}
    workloads |= {key: _workload(each) for key, each in kept.items() if each.is_applicable}
    found = measure(workloads, setting, protocol)
    refusals = {key: NotMeasurable(reason=each.reason) for key, each in kept.items() if each.reason is not None}
    results = {**found, **refusals}
    return CandidateLatencies(
        layer=layer,
        standard=found["standard"],
        candidates=tuple(results.get(str(position), found["standard"]) for position in range(len(layer.candidates))),
    )


def measure_comparison(
    comparison: Comparison, setting: Setting, protocol: Protocol | None = None
) -> tuple[CandidateLatencies, ...]:
    """Every layer with its candidates, one layer after the other; equal convolutions on equal maps only once.

    After a keyboard interrupt no further layer is begun.
    """
    found: dict[Hashable, CandidateLatencies] = {}
    results: list[CandidateLatencies] = []
    for layer in comparison.layers:
        key = (layer.conv, tuple((tensor.shape, tensor.dtype) for tensor in layer.layer.operands))
        if results and results[-1].interrupted:
            results.append(_interrupted(layer))
            continue
        if key not in found:
            try:
                found[key] = measure_candidates(layer, setting, protocol)
            except KeyboardInterrupt:
                found[key] = _interrupted(layer)
        results.append(replace(found[key], layer=layer))
    return tuple(results)


def _interrupted(layer: LayerComparison) -> CandidateLatencies:
    return CandidateLatencies(
        layer=layer, standard=INTERRUPTED, candidates=tuple(INTERRUPTED for _ in layer.candidates)
    )


def _is_standard(candidate: Candidate, layer: LayerComparison) -> bool:
    return candidate.is_applicable and _nodes(candidate) == _nodes(layer.standard)


def _nodes(candidate: Candidate) -> list[object]:
    return [stage.node for stage in candidate.stages]


def _workload(candidate: Candidate) -> Workload:
    return GraphNodes(graph=graph_of_nodes([stage.node for stage in candidate.stages]))
