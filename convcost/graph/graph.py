"""A network as data: nodes in execution order, the tensors between them, the weights they read."""

from __future__ import annotations

from collections.abc import Iterable

from convcost.dataclasses import dataclass
from convcost.graph.cost import Cost
from convcost.graph.ops.base import Op
from convcost.graph.tensor import Tensor, Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a node was found: the framework's operator, its node or call, and the user's source line where known."""

    operator: str
    node: str = ""
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One execution of an op, or `repeat` equal ones in a row.

    `name` is the layer's canonical name, a module path such as `layer1.0.conv1`, unique in the graph.
    `operands` are in the op's own order, weights among them. `stops_gradients` where training sends nothing back
    through it: a value cut off from what gave it, or work done with gradients switched off.
    """

    name: str
    op: Op
    operands: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    origin: Origin | None = None
    repeat: int = 1
    stops_gradients: bool = False

    @property
    def scope(self) -> str:
        """The module the layer belongs to: `layer1.0` for `layer1.0.conv1`."""
        return self.name.rpartition(".")[0]

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """The operands that are computed rather than stored."""
        return tuple([tensor for tensor in self.operands if tensor.weight is None])

    @property
    def weights(self) -> tuple[Weight, ...]:
        """The stored tensors this node reads, each once."""
        return distinct_weights(self.operands)

    @property
    def cost(self) -> Cost:
        once = self.op.cost(self.operands, self.outputs)
        return once if self.repeat == 1 else once * self.repeat


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A whole network. `weights` lists every stored tensor once, used or not.

    `target` and `source` (spec, onnx, torch) are labels for reports, and `notes` what a reader must know.
    `eager_peak_bytes` is the most that PyTorch held at one time, inputs included, where it ran the network.
    Raises `ValueError`, addressed to the author of a source, when a node reads, or shares the memory of,
    what nothing has written, or two weights share a name.
    """

    nodes: tuple[Node, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...] = ()
    weights: tuple[Weight, ...] = ()
    notes: tuple[str, ...] = ()
    target: str = ""
    source: str = ""
    eager_peak_bytes: int | None = None

    def __post_init__(self) -> None:
        stored: set[str] = set()
        for weight in self.weights:
            if weight.name in stored:
                raise ValueError(f"two weights are named '{weight.name}'")
            stored.add(weight.name)
        written = {tensor.name for tensor in self.inputs}
        layers: set[str] = set()
        for node in self.nodes:
            if node.name in layers:
                raise ValueError(f"two nodes are named '{node.name}'")
            layers.add(node.name)
            if missing := _missing(node.operands, written, stored):
                raise ValueError(f"node '{node.name}' reads {missing}")
            _check_writes(node, written, stored)
        if missing := _missing(self.outputs, written, stored):
            raise ValueError(f"the graph's output reads {missing}")


def _missing(tensors: Iterable[Tensor], written: set[str], stored: set[str]) -> str | None:
    """What is wrong with the first tensor that is not there to be read."""
    for tensor in tensors:
        if tensor.weight is None:
            if tensor.name not in written:
                return f"'{tensor.name}', which nothing has written"
        elif tensor.weight.name not in stored:
            return f"weight '{tensor.weight.name}', which the graph does not store"
    return None


def _check_writes(node: Node, written: set[str], stored: set[str]) -> None:
    for tensor in node.outputs:
        if tensor.name in written:
            raise ValueError(f"node '{node.name}' writes '{tensor.name}' a second time")
        if tensor.alias and tensor.alias not in written and tensor.alias not in stored:
            raise ValueError(f"'{tensor.name}' shares the memory of '{tensor.alias}', which nothing has written")
        written.add(tensor.name)


def distinct_weights(operands: Iterable[Tensor]) -> tuple[Weight, ...]:
    """The stored tensors among some operands, in order, each once."""
    stored = [tensor.weight for tensor in operands if tensor.weight is not None]
    return tuple({weight.name: weight for weight in stored}.values()) if stored else ()
