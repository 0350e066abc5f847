"""A parsed model to a Graph: every node lowered in order, then named."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from convcost.dataclasses import maker
from convcost.errors import ShapeError, SourceError
from convcost.graph import DType, Graph, Node, Origin, Shape, Tensor, Weight
from convcost.graph.cache import BoundedCache
from convcost.graph.ops import Op, Unknown
from convcost.sources.naming import LayerNames, containers_of
from convcost.sources.onnx.alike import Key, Outcome, key_of, outcome_of
from convcost.sources.onnx.attributes import Attributes
from convcost.sources.onnx.constant import constant_tensor, is_constant
from convcost.sources.onnx.control import CONTROL_FLOW
from convcost.sources.onnx.dtypes import DTYPES
from convcost.sources.onnx.folding import FOLLOWED, follow
from convcost.sources.onnx.inference import UNKNOWN, NodeInference, TensorType, WholeModel
from convcost.sources.onnx.lowering import LOWERINGS, MISFITS, Call, Lowered, Lowering, NotCountedError
from convcost.sources.onnx.module_paths import LayerPaths, path_of
from convcost.sources.onnx.node import OnnxNode
from convcost.sources.onnx.results import completed, filled_in, refuse_unnamed_result
from convcost.sources.onnx.scope import Pending, Scope
from convcost.sources.onnx.stored import SAME_WEIGHT, StoredTensors, initializers
from convcost.sources.onnx.text import shown
from convcost.sources.onnx.whereabouts import UNTOLD, Payload

if TYPE_CHECKING:
    from onnx import GraphProto, TensorProto

DOMAINS = frozenset({"", "ai.onnx", "com.microsoft"})
"""Operator domains whose operators are known; an operator of the same name elsewhere may mean anything."""

_UNSIZED: Shape = (0,)
_named_node: Callable[..., Node] = maker(Node, "name", "op", "operands", "outputs", "origin", "repeat")
_origin: Callable[[str, str], Origin] = maker(Origin, "operator", "node")


class GraphBuilder:
    """Lowers the nodes of one model, keeping what has been written so far."""

    def __init__(self, whole: WholeModel, nodes: Sequence[OnnxNode], target: str, notes: Sequence[str]) -> None:
        model = whole.model
        graph = model.graph
        self.target = target
        self.notes: list[str] = []
        self._first_notes = tuple(notes)
        self.scope = Scope.of(graph, nodes, whole.types())
        self.pending: list[Pending] = []
        self._whole = whole
        self._graph = graph
        self._inference = NodeInference(model.opset_import, model.ir_version)
        self._stored = StoredTensors(target)
        self._weights: dict[str, Weight] = {}
        self._written: set[str] = set()
        self._numbers = itertools.count(1)
        self._unsized: set[str] = set()
        self._taken_for: dict[str, DType] = {}
        self._outcomes: BoundedCache[Key, Outcome] = BoundedCache()

    def graph(self, payloads: Sequence[int]) -> Graph:
        """The whole network; raises `SourceError` where the file contradicts itself."""
        graph = self._graph
        self.store(graph, payloads)
        inputs = tuple(self._input(value.name) for value in graph.input if value.name not in self.scope.values)
        self.lower()
        return Graph(
            nodes=self._named(),
            inputs=inputs,
            outputs=tuple(self.value(value.name) for value in graph.output),
            weights=tuple(self._weights.values()),
            notes=(*self._first_notes, *self._whole.doubts(self._computed_shape), *self.notes),
            target=self.target,
            source="onnx",
        )

    def store(self, graph: GraphProto, payloads: Sequence[int] = ()) -> None:
        """Enters the initializers of a graph, which may have these `payloads`, into the current scope."""
        for tensor, payload in initializers(graph, payloads):
            self._store(tensor, tensor.name, payload, initializer=True)

    def _store(self, message: TensorProto, name: str, payload: Payload = UNTOLD, *, initializer: bool) -> None:
        scope = self.scope
        weight, tensor = self._stored.of(message, name, scope.roles.get(name), payload, initializer=initializer)
        if name in scope.packings:
            weight = dataclasses.replace(weight, packed=scope.packings[name].values(weight))
        if name in self._written:
            weight = dataclasses.replace(weight, name=self.fresh(name))
        self._written.add(weight.name)
        self._weights[weight.name] = weight
        scope.values[name] = tensor if tensor.weight is weight else Tensor.of(weight)
        scope.constants.offer(name, message)

    def _input(self, name: str) -> Tensor:
        tensor = self.declared(name, self.scope.types.get(name, UNKNOWN))
        self.scope.values[name] = tensor
        return tensor

    def declared(self, name: str, kind: TensorType, *, alias: str = "", dtype: DType = DType.FLOAT32) -> Tensor:
        """A new tensor for the value `name` of the current scope; without a known shape it is unsized."""
        unique = self.fresh(name)
        self._written.add(unique)
        if kind.shape is None:
            self._unsized.add(unique)
        shape = _UNSIZED if kind.shape is None else kind.shape
        return Tensor(name=unique, shape=shape, dtype=DTYPES.get(kind.elem_type, dtype), alias=alias)

    def fresh(self, name: str) -> str:
        """A tensor name for the value `name` of the current scope; in one graph a name may be written once."""
        if not self.scope.inner and name in self.scope.values:
            raise SourceError(
                f"{self.target}: '{shown(name)}' is written twice", hint="check the file with onnx.checker"
            )
        return self.unused(name)

    def unused(self, name: str) -> str:
        """`name`, or one like it where another graph of the file has used that."""
        unique = name
        while unique in self._written:  # the numbers never start again, so a file full of such names costs no more
            unique = f"{name}#{next(self._numbers)}"
        return unique

    def _computed_shape(self, name: str) -> Shape | None:
        """Of what a node gives; None for what is stored, or an input."""
        is_given = name in self._weights or name in self.scope.types
        found = None if is_given else self.scope.values.get(name)
        return None if found is None else found.shape

    def value(self, name: str) -> Tensor:
        """The tensor called `name` here, for an output of the graph."""
        found = self.scope.values.get(name)
        if found is None:
            raise self._unwritten(name, "the graph")
        return found

    def _unwritten(self, name: str, reader: str) -> SourceError:
        return SourceError(
            f"{self.target}: {reader} reads '{shown(name)}', which nothing before it writes",
            hint="nodes must stand in execution order; check the file with onnx.checker",
        )

    def is_sized(self, tensor: Tensor) -> bool:
        return tensor.name not in self._unsized

    def lower(self) -> None:
        """Lowers every node of the current scope."""
        for node in self.scope.nodes:
            self._lower_node(node)

    def _lower_node(self, node: OnnxNode) -> None:
        if is_constant(node):
            self.constant(node)
            return
        arguments = self._arguments(node)
        key = self._key(node, arguments)
        outcome = self._outcomes.get(key) if key else None
        if outcome is not None:
            self._alike_node(node, arguments, outcome)
            return
        results = self._results(node, arguments, key)
        if None in [kind.shape for kind in results]:
            results, key = self._from_whole(node, results), None
        if node.op_type in FOLLOWED:
            self._fold(node, arguments)
        if node.op_type in SAME_WEIGHT and self._stays_weight(node, arguments, results):
            return
        try:
            if node.op_type in CONTROL_FLOW and node.domain in DOMAINS:
                self._control_flow(node, arguments)
            else:
                self._operator(node, arguments, results, key)
        except NotCountedError as reason:
            self._unknown(node, arguments, results, str(reason))
        except ShapeError as error:
            raise SourceError(f"{self.target}: {_label(node)}: {error.message}", hint=error.hint) from error

    def _arguments(self, node: OnnxNode) -> tuple[Tensor | None, ...]:
        values = self.scope.values
        try:
            return tuple([values[name] if name else None for name in node.input])
        except KeyError as missing:
            raise self._unwritten(missing.args[0], _label(node)) from None

    def _key(self, node: OnnxNode, arguments: tuple[Tensor | None, ...]) -> Key | None:
        """What makes another node like this one; None where nothing can be told by it."""
        if node.op_type in CONTROL_FLOW or "" in node.output or not self._are_sized(arguments):
            return None
        key = key_of(node, arguments, self.scope.constants.of)
        typed = self._as_typed(arguments)
        return key if typed is arguments or key is None else (*key, *[each and each.dtype for each in typed])

    def _alike_node(self, node: OnnxNode, arguments: tuple[Tensor | None, ...], outcome: Outcome) -> None:
        """Of a graph of many nodes, most come this way."""
        outputs = []
        for position, name in enumerate(node.output):
            output = outcome.output(position, self.fresh(name), arguments)
            self._written.add(output.name)
            self.scope.values[name] = output
            outputs.append(output)
        if outcome.may_fold:
            self._fold(node, arguments)
        self.emit(node, outcome.op, outcome.operands(arguments), tuple(outputs))

    def _control_flow(self, node: OnnxNode, arguments: tuple[Tensor | None, ...]) -> None:
        try:
            CONTROL_FLOW[node.op_type](self, node, arguments)
        except MISFITS as error:
            raise NotCountedError("its subgraphs do not fit its operands") from error

    def constant(self, node: OnnxNode) -> None:
        """Enters the value of a Constant node into the current scope."""
        if not node.output or not node.output[0]:
            return
        tensor = constant_tensor(node)
        if tensor is None:
            raise SourceError(f"{self.target}: {_label(node)} has no value")
        self._store(tensor, node.output[0], initializer=False)

    def _results(self, node: OnnxNode, arguments: tuple[Tensor | None, ...], key: Key | None) -> tuple[TensorType, ...]:
        """What is known of the outputs from the operands alone."""
        if node.op_type in CONTROL_FLOW or not self._are_sized(arguments):
            return (UNKNOWN,) * len(node.output)
        operands = [argument for argument in self._as_typed(arguments) if argument is not None]
        return self._inference.results(node, operands, self.scope.constants.of, key)

    def _as_typed(self, arguments: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
        if not self._taken_for:
            return arguments
        return tuple([each and dataclasses.replace(each, dtype=self.taken_for(each)) for each in arguments])

    def taken_for(self, tensor: Tensor) -> DType:
        """The type that nodes take it for: what is cast or dequantized when it is loaded stays what is stored."""
        return self._taken_for.get(tensor.name, tensor.dtype)

    def take_for(self, tensor: Tensor, dtype: DType) -> None:
        if dtype is not tensor.dtype:
            self._taken_for[tensor.name] = dtype

    def _from_whole(self, node: OnnxNode, results: Iterable[TensorType]) -> tuple[TensorType, ...]:
        """These results, what is open in them filled in by what is known of the whole model."""
        types = self._types()
        return tuple([filled_in(kind, types.get(name)) for name, kind in zip(node.output, results, strict=True)])

    def _types(self) -> Mapping[str, TensorType]:
        """What the whole model tells of the current scope's values; shapes known in part, or stated, have done more."""
        if not self._whole.is_inferred:
            self._whole.infer()
            self.scope.types = self._whole.types()
        return self.scope.types

    def _are_sized(self, arguments: Iterable[Tensor | None]) -> bool:
        return not self._unsized or all(each is None or self.is_sized(each) for each in arguments)

    def _fold(self, node: OnnxNode, arguments: tuple[Tensor | None, ...]) -> None:
        source = arguments[0] if arguments else None
        shape = source.shape if source is not None and self.is_sized(source) else None
        follow(node, shape, self.scope.constants)

    def _stays_weight(
        self, node: OnnxNode, arguments: tuple[Tensor | None, ...], results: tuple[TensorType, ...]
    ) -> bool:
        """Views and changes of type of a stored tensor are done once at load: no node, the same weight."""
        source = arguments[0] if arguments else None
        if source is None or source.weight is None or not results:
            return False
        shape = results[0].shape
        if shape is None:
            return False
        name = self.fresh(node.output[0])
        self._written.add(name)
        view = dataclasses.replace(source, name=name, shape=shape, alias=source.buffer)
        self.take_for(view, DTYPES.get(results[0].elem_type, self.taken_for(source)))
        self.scope.values[node.output[0]] = view
        return True

    def _operator(
        self,
        node: OnnxNode,
        arguments: tuple[Tensor | None, ...],
        results: tuple[TensorType, ...],
        key: Key | None,
    ) -> None:
        for argument in arguments if self._unsized else ():
            if argument is not None and not self.is_sized(argument):
                _lowering_of(node)  # of an operator that is not known at all, that is the reason
                raise NotCountedError(f"the shape of its input '{shown(argument.name)}' is known only when it runs")
        self._lower_operator(node, arguments, results, key)

    def _lower_operator(
        self, node: OnnxNode, arguments: tuple[Tensor | None, ...], results: tuple[TensorType, ...], key: Key | None
    ) -> None:
        call = Call(
            operator=node.op_type,
            domain=node.domain,
            opset=self._inference.version(node.domain),
            attributes=Attributes(node),
            names=node.input,
            arguments=arguments,
            results=tuple([kind.shape for kind in results]),
            known=self.scope.constants.of,
            prefix=f"{node.output[0] if node.output else node.name}#",
        )
        lowering = _lowering_of(node)
        if self._inference.needs_an_input(node):  # of more, some exporters leave out what a runtime does not ask for
            call.operand(0)
        try:
            found = lowering(call)
            lowered = found if isinstance(found, Lowered) else Lowered(op=found, operands=call.operands)
            kinds = completed(lowered, results)
            refuse_unnamed_result(node, lowered, kinds)
        except MISFITS as error:
            raise NotCountedError("its attributes do not fit its operands") from error
        for step in call.steps:
            self._written.update(tensor.name for tensor in step.outputs)
            self.emit(node, step.op, step.operands, step.outputs)
        outputs = self._outputs(node, lowered, kinds)
        self.emit(node, lowered.op, lowered.operands, outputs)
        if key and all(self.is_sized(output) for output in outputs):
            outcome = outcome_of(call, lowered, outputs, may_fold=node.op_type in FOLLOWED)
            if outcome is not None:
                self._outcomes[key] = outcome

    def _outputs(self, node: OnnxNode, lowered: Lowered, kinds: Sequence[TensorType]) -> tuple[Tensor, ...]:
        default = lowered.dtype or (lowered.operands[0].dtype if lowered.operands else DType.FLOAT32)
        outputs = []
        for position, (name, kind) in enumerate(zip(node.output, kinds, strict=True)):
            if not name:
                continue
            if position in lowered.passed:
                self._written.add(self.fresh(name))
                self.scope.values[name] = lowered.passed[position]
                continue
            source = lowered.view_of if position == 0 else None
            output = self.declared(name, kind, alias=source.buffer if source else "", dtype=default)
            if source is not None and source.weight is not None:
                output = dataclasses.replace(output, weight=source.weight)
            self.scope.values[name] = output
            outputs.append(output)
        return tuple(outputs)

    def _unknown(
        self, node: OnnxNode, arguments: Sequence[Tensor | None], kinds: Sequence[TensorType], reason: str
    ) -> None:
        """Emits what cannot be counted; outputs keep the shapes that are known."""
        shapes = tuple(_UNSIZED if kind.shape is None else kind.shape for kind in kinds)
        op = Unknown(operator=node.op_type, reason=reason, shapes=shapes)
        lowered = Lowered(op=op, operands=tuple(argument for argument in arguments if argument is not None))
        self.emit(node, lowered.op, lowered.operands, self._outputs(node, lowered, kinds))

    def emit(self, node: OnnxNode, op: Op, operands: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> None:
        """Adds a node to the graph, to be named when all are known."""
        bias = self.scope.biases.get(node.output[0]) if self.scope.biases and node.output else None
        origin = _origin(node.op_type, node.name)
        self.pending.append(Pending(op, operands, outputs, path_of(node), origin, bias))

    def _named(self) -> tuple[Node, ...]:
        paths = LayerPaths(self.pending, self._weights)
        names = LayerNames(containers_of(paths.modules), contracting=paths.recurrent, weighted=paths.weighted)
        return tuple(
            [
                _named_node(
                    names.name(path, item.op, item.operands),
                    item.op,
                    item.operands,
                    item.outputs,
                    item.origin,
                    item.repeat,
                )
                for path, item in zip(paths.settled, self.pending, strict=True)
            ]
        )


def _lowering_of(node: OnnxNode) -> Lowering:
    if node.domain not in DOMAINS:
        raise NotCountedError(f"operators of the domain '{shown(node.domain)}' are not known")
    lowering = LOWERINGS.get(node.op_type)
    if lowering is None:
        raise NotCountedError("convcost does not know this operator")
    return lowering


def _label(node: OnnxNode) -> str:
    who = f"node '{shown(node.name)}'" if node.name else "a node without a name"
    return f"{who} ({shown(node.op_type)})"
