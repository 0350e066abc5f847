"""ONNX nodes being written for one node of a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import onnx
from onnx import TensorProto, helper

from convcost.graph import DType, Graph, Node
from convcost.latency.runners.prepared import UnrunnableError

Attributes: TypeAlias = "Mapping[str, int | float | list[int]]"

_NAMES = {"float32": "FLOAT", "float64": "DOUBLE"}
_NUMBERS: dict[DType, int] = {
    dtype: TensorProto.DataType.Value(name)
    for dtype in DType
    if (name := _NAMES.get(str(dtype.value), str(dtype.value).upper())) in TensorProto.DataType.keys()  # noqa: SIM118
}


def element_number(dtype: DType) -> int:
    """ONNX's number of an element type. Raises `UnrunnableError` where it has none."""
    if dtype not in _NUMBERS:
        raise UnrunnableError(f"ONNX has no element type {dtype.value}")
    return _NUMBERS[dtype]


class Draft:
    """One node of the graph as one or a few of ONNX, the last of which writes the node's own output.

    `reads` are the operands' names and `shapes` their shapes. Tensors keep their names, so that a profile's
    kernels can be traced back to nodes.
    """

    def __init__(self, node: Node, graph: Graph) -> None:
        self.node = node
        self.graph = graph
        self.reads = [tensor.weight.name if tensor.weight else tensor.name for tensor in node.operands]
        self.shapes = [tensor.shape for tensor in node.operands]
        self.written: list[onnx.NodeProto] = []
        if len(node.outputs) != 1 or node.repeat != 1:
            raise self.undescribed()
        for tensor in node.operands:
            if tensor.weight is not None and tensor.weight.shape != tensor.shape:
                raise UnrunnableError(f"'{node.name}' reads a view of weight '{tensor.weight.name}'")

    def emit(
        self,
        operator: str,
        attributes: Attributes | None = None,
        *,
        reads: Sequence[str] | None = None,
        stage: str | None = None,
    ) -> str:
        """Writes one ONNX node and gives its output's name; with `stage`, a value between, not the last one."""
        output = self._name(stage)
        proto = helper.make_node(operator, list(self.reads if reads is None else reads), [output], name=self._label())
        proto.attribute.extend(helper.make_attribute(key, value) for key, value in (attributes or {}).items())
        self.written.append(proto)
        return output

    def constant(self, name: str, shape: Sequence[int], values: Sequence[float], element: int) -> str:
        """A value known beforehand, such as the shape a reshape wants."""
        tensor = helper.make_tensor(name, element, shape, values)
        output = self._name(name)
        proto = helper.make_node("Constant", [], [output], name=self._label(), value=tensor)
        self.written.append(proto)
        return output

    def undescribed(self) -> UnrunnableError:
        """The refusal to guess what a node computes: costs do not need an axis or a permutation, running does."""
        what = type(self.node.op).__name__
        return UnrunnableError(f"'{self.node.name}' ({what}) cannot be built from its cost description alone")

    def _name(self, stage: str | None) -> str:
        output = self.node.outputs[0].name
        return f"{output}/{stage}" if stage else output

    def _label(self) -> str:
        return f"{self.node.name}/{len(self.written)}"
