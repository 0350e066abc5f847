"""Which layers a runtime's kernels stand for. Pure: kernels and layers share nothing but the names of tensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from convcost.dataclasses import dataclass
from convcost.graph import Graph, Node

_PASSES_ON = {"ReorderInput", "ReorderOutput", "MemcpyFromHost", "MemcpyToHost"}
"""Kernels that compute nothing: ONNX Runtime's changes of layout and of memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """One node of the graph a runtime really executes, with the tensors it reads and writes."""

    name: str
    operator: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """For every kernel (by position) the layer its time belongs to, None where nothing tells.

    `timed_with` names the layer that carries the time of each further layer a kernel stands for.
    """

    layers: tuple[str | None, ...]
    timed_with: Mapping[str, str]


def attribute_kernels(kernels: Sequence[Kernel], graph: Graph) -> Attribution:
    """Traces each kernel's outputs back through the graph as far as another kernel's outputs.

    What lies on the way was fused into the kernel; the costliest of it carries the time. A kernel that stands
    for no layer of its own, such as a change of layout, belongs to the layer whose values it passes on, or
    else to the one that reads what it writes.
    """
    producers = {tensor.name: node for node in graph.nodes for tensor in node.outputs}
    known = [_known_outputs(kernel, producers) for kernel in kernels]
    boundary = {name for names in known for name in names}
    carriers: dict[str, str] = {}
    layers: list[str | None] = []
    written_for: dict[str, str | None] = {}
    for kernel, names in zip(kernels, known, strict=True):
        covered = _covered(names, producers, boundary)
        new = [node for node in covered if node.name not in carriers]
        source = written_for.get(kernel.reads[0]) if kernel.reads and kernel.reads[0] not in producers else None
        own, passed_on = _shared_out(kernel, new, source, producers)
        carrier = max(own, key=_weight).name if own else None
        carriers.update({node.name: carrier for node in own if carrier})
        carriers.update({node.name: source for node in passed_on if source})
        layer = carrier or source or next((carriers[node.name] for node in covered), None)
        layers.append(layer)
        written_for.update(dict.fromkeys(kernel.writes, layer))
    return Attribution(
        layers=tuple(_by_readers(kernels, layers)),
        timed_with={layer: carrier for layer, carrier in carriers.items() if layer != carrier},
    )


def _shared_out(
    kernel: Kernel, new: list[Node], source: str | None, producers: Mapping[str, Node]
) -> tuple[list[Node], list[Node]]:
    """The nodes a kernel computes itself, and those that the layer `source` had computed before.

    A kernel that reads a tensor of a new name does not tell where in the graph that tensor stands. What lies
    before the kernel's own contraction was fused into the one that wrote it, as a sum or an activation.
    """
    if source is None or not new:
        return new, []
    if kernel.operator in _PASSES_ON:
        return [], new
    names = {node.name for node in new}
    waiting = [max(new, key=_weight)]
    before: dict[str, Node] = {}
    while waiting:
        read = [producers[tensor.name] for tensor in waiting.pop().inputs if tensor.name in producers]
        fresh = [node for node in read if node.name in names and node.name not in before]
        before.update((node.name, node) for node in fresh)
        waiting += fresh
    return [node for node in new if node.name not in before], list(before.values())


def _known_outputs(kernel: Kernel, producers: Mapping[str, Node]) -> list[str]:
    """The kernel's outputs that the graph knows too.

    ONNX Runtime's blocked convolutions write tensors of new names, but are themselves called after the
    output they replace, with a suffix.
    """
    candidates = (*kernel.writes, kernel.name.removesuffix("_nchwc"))
    return [name for name in candidates if name in producers][: max(len(kernel.writes), 1)]


def _covered(names: Iterable[str], producers: Mapping[str, Node], boundary: set[str]) -> list[Node]:
    """The nodes that make these tensors out of other kernels' results."""
    found: dict[str, Node] = {}
    waiting = list(names)
    while waiting:
        node = producers[waiting.pop()]
        if node.name in found:
            continue
        found[node.name] = node
        waiting += [tensor.name for tensor in node.inputs if tensor.name in producers and tensor.name not in boundary]
    return list(found.values())


def _weight(node: Node) -> tuple[int, int]:
    return node.cost.macs, node.cost.bytes_moved


def _by_readers(kernels: Sequence[Kernel], layers: Sequence[str | None]) -> list[str | None]:
    """Gives kernels without a layer that of the kernel reading their result, from the last to the first."""
    reader: dict[str, int] = {}
    for position, kernel in enumerate(kernels):
        for name in kernel.reads:
            reader.setdefault(name, position)
    resolved = list(layers)
    for position in reversed(range(len(kernels))):
        if resolved[position] is None:
            readers = [reader[name] for name in kernels[position].writes if name in reader]
            resolved[position] = next((resolved[each] for each in readers if each > position), None)
    return resolved
