"""From times of modules to times of layers. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from convcost.dataclasses import dataclass
from convcost.graph import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleTime:
    """One call of a module: the seconds spent in it, but not in modules it calls."""

    path: str
    own: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerTimes:
    """One run's seconds by layer, and those of modules that no layer lies in."""

    layers: Mapping[str, float]
    unattributed: float


def nodes_by_module(nodes: Sequence[Node], called: Sequence[str]) -> dict[str, tuple[Node, ...]]:
    """The layers of each called module: a layer lies in the module of the longest path its name begins with."""
    paths = set(called)
    found: dict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        path = node.name
        while path and path not in paths:
            path = path.rpartition(".")[0]
        found[path].append(node)
    return {path: tuple(group) for path, group in found.items()}


def timed_together(groups: Mapping[str, tuple[Node, ...]], calls: Mapping[str, int]) -> dict[str, str]:
    """Layers without a time of their own, and the costliest layer of their module, which carries it.

    A module called as often as it has layers is one layer a call, and nothing is timed together.
    """
    together = {}
    for path, group in groups.items():
        if calls.get(path, 0) != len(group):
            carrier = _carrier(group)
            together.update({node.name: carrier for node in group if node.name != carrier})
    return together


def layer_times(run: Sequence[ModuleTime], groups: Mapping[str, tuple[Node, ...]]) -> LayerTimes:
    """A run's module times given to the layers in them, in the order of the calls."""
    by_path: dict[str, list[float]] = defaultdict(list)
    for call in run:
        by_path[call.path].append(call.own)
    layers: dict[str, float] = {}
    unattributed = 0.0
    for path, times in by_path.items():
        group = groups.get(path, ())
        if not group:
            unattributed += sum(times)
        elif len(group) == len(times):
            layers.update({node.name: seconds for node, seconds in zip(group, times, strict=True)})
        else:
            layers[_carrier(group)] = sum(times)
    return LayerTimes(layers=layers, unattributed=unattributed)


def _carrier(group: Sequence[Node]) -> str:
    return max(group, key=lambda node: (node.cost.macs, node.cost.bytes_moved)).name
