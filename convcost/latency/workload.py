"""What is measured, before any runtime is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, TypeAlias

from convcost.analysis.memory import peak_activation_bytes
from convcost.dataclasses import dataclass
from convcost.graph import Graph, Node, distinct_weights

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphNodes:
    """A graph to be built node by node, with random weights: what specs and alternatives give."""

    graph: Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxFile:
    """A model file, and the graph it was read as, which says the shapes to run it at."""

    path: str
    graph: Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchModule:
    """A module and its arguments; parameters or tensors on the meta device are replaced by random ones in a copy.

    `graph` is what the module was captured as, where it was: it tells the memory needed, and names the layers.
    """

    module: nn.Module
    args: tuple[object, ...] = ()
    kwargs: Mapping[str, object] = field(default_factory=dict)
    graph: Graph | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherProcess:
    """A model that a process of its own runs: the code of another revision, which must not meet this one's.

    `command`, started in `folder`, gets the setting as JSON behind it.
    """

    command: tuple[str, ...]
    folder: str
    environment: Mapping[str, str]


Workload: TypeAlias = GraphNodes | OnnxFile | TorchModule
Runnable: TypeAlias = Workload | OtherProcess


def graph_of(workload: Workload) -> Graph:
    """The graph that describes a workload. Raises `ValueError` for a module that was never captured."""
    if workload.graph is None:
        raise ValueError("this module comes without the graph it was captured as")
    return workload.graph


def graph_of_nodes(nodes: Sequence[Node], target: str = "") -> Graph:
    """A graph of some nodes alone; what they read and none of them writes becomes its input."""
    written = {tensor.name for node in nodes for tensor in node.outputs}
    read = {tensor.name: tensor for node in nodes for tensor in node.inputs}
    last = {tensor.name for tensor in nodes[-1].outputs} if nodes else set()
    unread = written - read.keys() | last
    return Graph(
        nodes=tuple(nodes),
        inputs=tuple(tensor for name, tensor in read.items() if name not in written),
        outputs=tuple(tensor for node in nodes for tensor in node.outputs if tensor.name in unread),
        weights=distinct_weights(tensor for node in nodes for tensor in node.operands),
        target=target,
        source="nodes",
    )


def needed_bytes(graph: Graph) -> int:
    """Weights and inputs, and the largest sum of values alive at once.

    A reordering that counts as a view is a copy when it runs: a runtime's kernels want their operands dense.
    """
    weights = sum(weight.nbytes for weight in graph.weights)
    copies = max((node.outputs[0].nbytes for node in graph.nodes if node.op.is_view and node.outputs), default=0)
    return weights + peak_activation_bytes(graph) + copies
