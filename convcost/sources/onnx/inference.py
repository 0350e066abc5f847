"""Shapes and element types by onnx: of single nodes, and of the whole model where those leave gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from onnx import checker, defs, numpy_helper, shape_inference
from onnx.helper import make_tensor_type_proto

from convcost.graph import DType, Shape
from convcost.graph.cache import BoundedCache
from convcost.sources.onnx.alike import BY_FORM
from convcost.sources.onnx.dtypes import NUMBERS
from convcost.sources.onnx.kept_back import inferred_without, is_safe
from convcost.sources.onnx.stated import contradiction, fill_in, forget_shapes, set_aside, shapes_beside
from convcost.sources.onnx.text import shown

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, OperatorSetIdProto, TypeProto, ValueInfoProto
    from onnx.defs import OpSchema

    from convcost.graph import Tensor
    from convcost.sources.onnx.alike import Key, Known
    from convcost.sources.onnx.node import OnnxNode


REFUSALS = (shape_inference.InferenceError, checker.ValidationError, ValueError, RuntimeError)
"""What onnx raises for a model or node it cannot make sense of."""


class TensorType(NamedTuple):
    """What is known of a value: its element type's number (0: unknown) and its shape (None: not fixed)."""

    elem_type: int
    shape: Shape | None


UNKNOWN = TensorType(0, None)


class WholeModel:
    """A model, of which onnx infers all values once something asks for that: most leave nothing open."""

    def __init__(self, model: ModelProto) -> None:
        self.model = model
        self.is_inferred = False
        self._doubts: list[str] = []

    def infer(self) -> None:
        """Has `value_info` written into `model`, or into one that takes its place."""
        if not self.is_inferred:
            self.model, self._doubts = _infer_model(self.model)
            self.is_inferred = True

    def types(self) -> dict[str, TensorType]:
        """What is known of the graph's values, by name; before it is inferred, of its inputs."""
        graph = self.model.graph
        return types_of(described(graph) if self.is_inferred else graph.input)

    def doubts(self, shapes: Callable[[str], Shape | None]) -> list[str]:
        """What was wrong with the model, all of whose values have these `shapes`."""
        if not self.is_inferred and (outdated := contradiction(shapes, self.model.graph)) is not None:
            return [_outdated(outdated)]
        return self._doubts


def _infer_model(model: ModelProto) -> tuple[ModelProto, list[str]]:
    """The model with `value_info` for what onnx can tell, and notes on what was wrong with it.

    Shapes that the file states of its own values fill the gaps, unless one is contradicted: then all may be of other
    inputs. Without onnx's propagation of values: it takes 70 bytes for every element of any list, however long, and
    node by node more is known.
    """
    stated = set_aside(model.graph)
    inferred, notes = _inferred(model)
    outdated = contradiction(shapes_beside(inferred.graph, stated), stated)
    if outdated is None:
        fill_in(inferred.graph, stated)
        return inferred, notes
    forget_shapes(model.graph)
    inferred, notes = _inferred(model)
    return inferred, [*notes, _outdated(outdated)]


def _outdated(name: str) -> str:
    return f"shapes written in the file, such as that of '{shown(name)}', contradict its inputs and were not used"


def _inferred(model: ModelProto) -> tuple[ModelProto, list[str]]:
    try:
        inferred = inferred_without(model, shape_inference.infer_shapes)
        if inferred.graph.node:
            return inferred, []
        why = "with its shapes it is too large for a protobuf message"  # onnx gives back an empty one
    except REFUSALS as error:
        why = shown(str(error).splitlines()[0])
    return model, [f"onnx could not infer shapes for the whole model, which was then done node by node: {why}"]


def described(graph: GraphProto) -> Iterable[ValueInfoProto]:
    """All values that a graph says something of."""
    return (*graph.value_info, *graph.output, *graph.input)


def types_of(values: Iterable[ValueInfoProto]) -> dict[str, TensorType]:
    """What is said of each value, by its name."""
    types = {}
    alike: dict[bytes, TensorType] = {}  # many values are of few types, and reading one is slow
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
    """Infers one node of each kind from what lowering knows, which is more than a whole-model pass can propagate."""

    def __init__(self, opsets: Iterable[OperatorSetIdProto], ir_version: int) -> None:
        self._opsets = {"" if opset.domain == "ai.onnx" else opset.domain: opset for opset in opsets}
        self._ir_version = ir_version
        self._found: BoundedCache[Key, tuple[TensorType, ...]] = BoundedCache()

    def version(self, domain: str) -> int:
        opset = self._opsets.get("" if domain == "ai.onnx" else domain)
        return 1 if opset is None else opset.version

    def needs_an_input(self, node: OnnxNode) -> bool:
        """Whether the operator is nothing without its first input; False for one that onnx does not know."""
        schema = _schema(node.op_type, node.domain, self.version(node.domain))
        return schema is not None and schema.min_input > 0

    def results(
        self, node: OnnxNode, operands: Sequence[Tensor], known: Known, key: Key | None
    ) -> tuple[TensorType, ...]:
        """The node's outputs; unknown for an operator onnx does not know, or operands it does not accept.

        Asked once for all nodes of the same `key`.
        """
        found = self._found.get(key) if key else None
        if found is None:
            outputs = self._outputs(node, operands, known)
            found = tuple([outputs.get(name, UNKNOWN) for name in node.output])
            if key:
                self._found[key] = found
        return found

    def _outputs(self, node: OnnxNode, operands: Sequence[Tensor], known: Known) -> Mapping[str, TensorType]:
        schema = _schema(node.op_type, node.domain, self.version(node.domain))
        if schema is None or not is_safe(node, operands):
            return {}
        names = [name for name in node.input if name]
        seen = () if node.op_type in BY_FORM else names
        opsets = [self._opsets[domain] for domain in {"", node.domain} if domain in self._opsets]
        try:  # sizes of more than 63 bits have no type either
            types = {name: _type_of(tensor.dtype, tensor.shape) for name, tensor in zip(names, operands, strict=True)}
            values = {name: numpy_helper.from_array(value) for name in seen if (value := known(name)) is not None}
            inferred = shape_inference.infer_node_outputs(
                schema, node.message, types, values, opset_imports=opsets, ir_version=self._ir_version
            )
        except (*REFUSALS, KeyError, TypeError, NotImplementedError):
            return {}
        return {name: tensor_type(kind) for name, kind in inferred.items()}


@lru_cache(maxsize=512)
def _type_of(dtype: DType, shape: Shape) -> TypeProto:
    return make_tensor_type_proto(NUMBERS.get(dtype, 1), shape)


@lru_cache(maxsize=512)
def _schema(operator: str, domain: str, version: int) -> OpSchema | None:
    try:
        return defs.get_schema(operator, version, domain)
    except (defs.SchemaError, TypeError):  # the latter for a version beyond 32 bits
        return None
