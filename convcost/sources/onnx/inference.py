"""Shapes and element types: the whole model by onnx, and single nodes where that left gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from onnx import checker, defs, numpy_helper, shape_inference
from onnx.helper import make_tensor_type_proto

from convcost.graph import Shape
from convcost.sources.onnx.dtypes import NUMBERS
from convcost.sources.onnx.kept_back import inferred_without, is_safe
from convcost.sources.onnx.stated import contradiction, fill_in, forget_shapes, set_aside
from convcost.sources.onnx.text import shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnx import GraphProto, ModelProto, OperatorSetIdProto, TypeProto
    from onnx.defs import OpSchema

    from convcost.graph import Tensor
    from convcost.sources.onnx.node import OnnxNode


REFUSALS = (shape_inference.InferenceError, checker.ValidationError, ValueError, RuntimeError)
"""What onnx raises for a model or node it cannot make sense of."""


class TensorType(NamedTuple):
    """What is known of a value: its element type's number (0: unknown) and its shape (None: not fixed)."""

    elem_type: int
    shape: Shape | None


def infer_model(model: ModelProto) -> tuple[ModelProto, list[str]]:
    """The model with `value_info` for what onnx can tell, and notes on what was wrong with it.

    Shapes that the file states of its own values fill the gaps, unless one is contradicted: then all may be of other
    inputs. Without onnx's propagation of values: it takes 70 bytes for every element of any list, however long, and
    node by node more is known.
    """
    stated = set_aside(model.graph)
    inferred, notes = _inferred(model)
    outdated = contradiction(inferred.graph, stated)
    if outdated is None:
        fill_in(inferred.graph, stated)
        return inferred, notes
    forget_shapes(model.graph)
    inferred, notes = _inferred(model)
    doubt = f"shapes written in the file, such as that of '{shown(outdated)}', contradict its inputs and were not used"
    return inferred, [*notes, doubt]


def _inferred(model: ModelProto) -> tuple[ModelProto, list[str]]:
    try:
        return inferred_without(model, shape_inference.infer_shapes), []
    except REFUSALS as error:
        why = shown(str(error).splitlines()[0])
        return model, [f"onnx could not infer shapes for the whole model, which was then done node by node: {why}"]


def types_of(graph: GraphProto) -> dict[str, TensorType]:
    """Every value the graph describes, by name."""
    types = {}
    alike: dict[bytes, TensorType] = {}  # many values are of few types, and reading one is slow
    for values in (graph.value_info, graph.output, graph.input):
        for value in values:
            kind = value.type
            key = kind.SerializeToString()
            found = alike.get(key)
            if found is None:
                found = alike[key] = tensor_type(kind)
            types[value.name] = found
    return types


def tensor_type(kind: TypeProto) -> TensorType:
    tensor = kind.tensor_type
    if not tensor.HasField("shape"):
        return TensorType(tensor.elem_type, None)
    sizes = tuple([dim.dim_value if dim.HasField("dim_value") else -1 for dim in tensor.shape.dim])
    return TensorType(tensor.elem_type, sizes if min(sizes, default=0) >= 0 else None)


class NodeInference:
    """Infers one node at a time from what lowering knows, which is more than a whole-model pass can propagate."""

    def __init__(self, opsets: Sequence[OperatorSetIdProto], ir_version: int) -> None:
        self._opsets = list(opsets)
        self._versions = {"" if opset.domain == "ai.onnx" else opset.domain: opset.version for opset in opsets}
        self._ir_version = ir_version

    def version(self, domain: str) -> int:
        return self._versions.get("" if domain == "ai.onnx" else domain, 1)

    def needs_an_input(self, node: OnnxNode) -> bool:
        """Whether the operator is nothing without its first input; False for one that onnx does not know."""
        schema = _schema(node.op_type, node.domain, self.version(node.domain))
        return schema is not None and schema.min_input > 0

    def outputs(
        self, node: OnnxNode, operands: Iterable[Tensor], known: Callable[[str], NDArray[np.generic] | None]
    ) -> Mapping[str, TensorType]:
        """The node's outputs; empty for an operator onnx does not know, or operands it does not accept."""
        schema = _schema(node.op_type, node.domain, self.version(node.domain))
        operands = tuple(operands)
        if schema is None or not is_safe(node, operands):
            return {}
        names = [name for name in node.input if name]
        types = {
            name: make_tensor_type_proto(NUMBERS.get(tensor.dtype, 1), list(tensor.shape))
            for name, tensor in zip(names, operands, strict=True)
        }
        try:
            values = {name: numpy_helper.from_array(value) for name in names if (value := known(name)) is not None}
            inferred = shape_inference.infer_node_outputs(
                schema, node.message, types, values, opset_imports=self._opsets, ir_version=self._ir_version
            )
        except (*REFUSALS, KeyError, TypeError, NotImplementedError):
            return {}
        return {name: tensor_type(kind) for name, kind in inferred.items()}


@lru_cache(maxsize=512)
def _schema(operator: str, domain: str, version: int) -> OpSchema | None:
    try:
        return defs.get_schema(operator, version, domain)
    except (defs.SchemaError, TypeError):  # the latter for a version beyond 32 bits
        return None
