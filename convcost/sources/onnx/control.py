"""Control flow: a branch costs its dearest arm, a loop of known length its body that many times."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from convcost.graph import Tensor
from convcost.graph.ops import Gather, Move, Unknown
from convcost.sources.onnx.attributes import Attributes
from convcost.sources.onnx.constant import is_constant
from convcost.sources.onnx.inference import TensorType
from convcost.sources.onnx.lowering import MISFITS, NotCountedError
from convcost.sources.onnx.scope import Pending

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnx import GraphProto

    from convcost.sources.onnx.build import GraphBuilder
    from convcost.sources.onnx.node import OnnxNode

    Values: TypeAlias = Mapping[str, NDArray[np.generic]]

Arguments: TypeAlias = "tuple[Tensor | None, ...]"

_ENDLESS = 2**31
"""Exporters write a trip count of this size or more for `while`: the condition ends the loop, not the count."""

_OTHER_SHAPES = "conditions choose between results of different shapes"

_COUNTER, _CONDITION = TensorType(7, ()), TensorType(9, ())


class _Body(NamedTuple):
    nodes: list[Pending]
    results: list[Tensor]
    first_value: NDArray[np.generic] | None


def lower_if(builder: GraphBuilder, node: OnnxNode, arguments: Arguments) -> None:
    """Splices in the arm with more MACs (then other operations), or the one a known condition picks."""
    attributes = Attributes(node)
    arms = [attributes.graph(name) for name in ("then_branch", "else_branch")]
    condition = builder.scope.constants.of(node.input[0]) if node.input else None
    other = None
    if condition is not None and condition.size == 1:
        other = arms.pop(1 if condition.reshape(-1)[0] else 0)
    bodies = [_body(builder, arm, {}, {}) for arm in arms if arm is not None]
    _store_only(builder, other)  # after the arm that runs, whose weights keep their names
    if not bodies:
        raise NotCountedError("it has no arms")
    dearest = max(bodies, key=_work)
    builder.pending.extend(dearest.nodes)
    _leave(builder, node, dearest.results, action="if")
    cheaper = [body for body in bodies if body is not dearest]
    if any(isinstance(item.op, Unknown) for body in cheaper for item in body.nodes):
        _doubt(builder, node, "the arm that seems cheaper contains operators that are not counted")
    elif any(_may_be_larger(builder, body, dearest) for body in cheaper):
        _doubt(builder, node, "the arm that is cheaper gives a larger result, and what follows may cost more by it")
    else:
        _note_other_shapes(builder, node, cheaper, dearest)


def _doubt(builder: GraphBuilder, node: OnnxNode, reason: str) -> None:
    builder.emit(node, Unknown(operator=node.op_type, reason=reason), (), ())


def _may_be_larger(builder: GraphBuilder, cheaper: _Body, dearest: _Body) -> bool:
    return any(
        builder.is_sized(counted) and (not builder.is_sized(result) or result.numel > counted.numel)
        for result, counted in zip(cheaper.results, dearest.results, strict=False)
    )


def _note_other_shapes(builder: GraphBuilder, node: OnnxNode, cheaper: Sequence[_Body], dearest: _Body) -> None:
    """Squeezed or not, what follows mostly costs the same; but it is counted for one of the two alone. Said once."""
    said = any(note.startswith(_OTHER_SHAPES) for note in builder.notes)
    pairs = [pair for body in cheaper for pair in zip(dearest.results, body.results, strict=False)]
    for counted, result in () if said else pairs:
        if builder.is_sized(counted) and counted.shape != result.shape:
            shapes = f"{list(counted.shape)} or {list(result.shape)}"
            builder.notes.append(
                f"{_OTHER_SHAPES}, first at '{node.output[0]}' ({shapes}): what follows is counted for the dearer arm's"
            )
            return


def lower_loop(builder: GraphBuilder, node: OnnxNode, arguments: Arguments) -> None:
    """Inputs are the trip count, the condition, then carried values; outputs are these, then stacked ones."""
    body = Attributes(node).graph("body")
    carried = [argument for argument in arguments[2:] if argument is not None]
    with _storing(builder, body):
        if body is None or len(body.input) != len(carried) + 2:
            raise NotCountedError("its body does not take what it carries")
        trips = _trip_count(builder, node)
        known = _condition(builder, node, body.input[1].name)
        entry = len(builder.pending)
        lowered = _loop_body(builder, node, body, carried, [_COUNTER, _CONDITION], known)
    if lowered.first_value is None or not lowered.first_value.all():
        raise NotCountedError("how often it runs is known only when it runs")
    kept = lowered.results[1 : len(carried) + 1]
    _repeat(builder, lowered.nodes, kept, carried, trips)
    for name, item in zip(node.output[len(kept) :], lowered.results[len(kept) + 1 :], strict=False):
        _stack(builder, node, entry, name, item, axis=0, trips=trips)
    _leave(builder, node, kept, action="loop_end", until_here=_read_by(builder.pending[entry:]))


def lower_scan(builder: GraphBuilder, node: OnnxNode, arguments: Arguments) -> None:
    """Inputs are states, then tensors of which each step sees one slice; outputs are states, then stacked ones."""
    attributes = Attributes(node)
    body = attributes.graph("body")
    scanned = attributes.integer("num_scan_inputs", 0)
    present = [argument for argument in arguments if argument is not None]
    with _storing(builder, body):
        if body is None or not 0 < scanned <= len(present) or len(node.input) != len(body.input):
            raise NotCountedError("its body does not take what it scans (the form before opset 9 is not modelled)")
        states, sources = present[:-scanned], present[-scanned:]
        axes = [
            axis % max(len(source.shape), 1)
            for axis, source in zip(_axes(attributes, "input", scanned), sources, strict=True)
        ]
        trips = _scan_length(builder, sources, axes)
        names = [value.name for value in body.input[len(states) :]]
        slices, slicing = _slices(builder, node, names, sources, axes)
        entry = len(builder.pending)
        lowered = _loop_body(builder, node, body, states, [], {}, slices)
    kept = lowered.results[: len(states)]
    _repeat(builder, slicing + lowered.nodes, kept, states, trips)
    stacked = list(zip(node.output[len(kept) :], lowered.results[len(kept) :], strict=False))
    for (name, item), axis in zip(stacked, _axes(attributes, "output", len(stacked)), strict=True):
        _stack(builder, node, entry, name, item, axis=axis % (len(item.shape) + 1), trips=trips)
    _leave(builder, node, kept, action="scan_end", until_here=_read_by(builder.pending[entry:]))


def _slices(
    builder: GraphBuilder, node: OnnxNode, names: Sequence[str], sources: Sequence[Tensor], axes: Sequence[int]
) -> tuple[dict[str, Tensor], list[Pending]]:
    """What one step sees of what is scanned, by the body's names for it, and the nodes that cut it out."""
    slices: dict[str, Tensor] = {}
    nodes: list[Pending] = []
    for name, source, axis in zip(names, sources, axes, strict=True):
        shape = (*source.shape[:axis], *source.shape[axis + 1 :])
        slices[name] = builder.declared(builder.unused(name), TensorType(0, shape), dtype=source.dtype)
        builder.emit(node, Gather(axis=axis), (source,), (slices[name],))
        nodes.append(builder.pending.pop())
    return slices, nodes


CONTROL_FLOW: dict[str, Callable[[GraphBuilder, OnnxNode, Arguments], None]] = {
    "If": lower_if,
    "Loop": lower_loop,
    "Scan": lower_scan,
}


def _body(builder: GraphBuilder, graph: GraphProto, bound: Mapping[str, Tensor], known: Values) -> _Body:
    """Lowers a subgraph with some of its names bound, without adding its nodes to the graph around it."""
    outer_scope, outer_pending = builder.scope, builder.pending
    builder.scope, builder.pending = outer_scope.within(graph), []
    try:
        builder.scope.values.update(bound)
        for name, value in known.items():
            builder.scope.constants.learn(name, value)
        builder.store(graph)
        builder.lower()
        results = [builder.value(value.name) for value in graph.output]
        first = builder.scope.constants.of(graph.output[0].name) if graph.output else None
        return _Body(builder.pending, results, first)
    finally:
        builder.scope, builder.pending = outer_scope, outer_pending


def _store_only(builder: GraphBuilder, graph: GraphProto | None) -> None:
    """Enters the stored values of a subgraph that is not lowered, and of those in it: the file holds them too."""
    if graph is None:
        return
    outer = builder.scope
    builder.scope = outer.within(graph)
    try:
        builder.store(graph)
        for node in builder.scope.nodes:
            if is_constant(node):
                builder.constant(node)
            for attribute in node.attribute if node.op_type in CONTROL_FLOW else ():
                _store_only(builder, attribute.g if attribute.HasField("g") else None)
    finally:
        builder.scope = outer


@contextmanager
def _storing(builder: GraphBuilder, body: GraphProto | None) -> Iterator[None]:
    """Around the lowering of a body: where that cannot be, its weights are stored all the same."""
    try:
        yield
    except (NotCountedError, *MISFITS):
        _store_only(builder, body)
        raise


def _work(body: _Body) -> tuple[int, int]:
    costs = [(item.op.cost(item.operands, item.outputs), item.repeat) for item in body.nodes]
    return sum(cost.macs * times for cost, times in costs), sum(cost.other_ops * times for cost, times in costs)


def _trip_count(builder: GraphBuilder, node: OnnxNode) -> int:
    count = builder.scope.constants.of(node.input[0]) if node.input and node.input[0] else None
    if count is None or count.size != 1 or int(count.reshape(-1)[0]) >= _ENDLESS:
        raise NotCountedError("how often it runs is known only when it runs")
    return max(int(count.reshape(-1)[0]), 0)


def _condition(builder: GraphBuilder, node: OnnxNode, inner: str) -> Values:
    """The condition's first value under the body's name for it, where the file fixes it; absent means true."""
    import numpy as np

    outer = node.input[1] if len(node.input) > 1 else ""
    if not outer:
        return {inner: np.asarray(True)}
    value = builder.scope.constants.of(outer)
    if value is None or not value.all():
        raise NotCountedError("how often it runs is known only when it runs")
    return {inner: value}


def _loop_body(
    builder: GraphBuilder,
    node: OnnxNode,
    body: GraphProto,
    carried: Sequence[Tensor],
    leading: Sequence[TensorType],
    known: Values,
    slices: Mapping[str, Tensor] | None = None,
) -> _Body:
    """Lowers a loop's body on views of what it carries, entered by a node of its own that moves nothing."""
    if not all(builder.is_sized(tensor) for tensor in carried):
        raise NotCountedError("the shapes of what it carries are known only when it runs")
    names = [value.name for value in body.input]
    own_names = [builder.unused(name) for name in names]
    entered = [builder.declared(name, kind) for name, kind in zip(own_names, leading, strict=False)]
    for name, tensor in zip(own_names[len(leading) :], carried, strict=False):
        inner = builder.declared(name, TensorType(0, tensor.shape), alias=tensor.buffer, dtype=tensor.dtype)
        builder.take_for(inner, builder.taken_for(tensor))
        entered.append(dataclasses.replace(inner, weight=tensor.weight))
    op = Move(action=node.op_type.lower(), shapes=tuple(tensor.shape for tensor in entered), view=True)
    builder.emit(node, op, tuple(carried), tuple(entered))
    bound = dict(zip(names, entered, strict=False)) | dict(slices or {})
    return _body(builder, body, bound, known)


def _repeat(
    builder: GraphBuilder, nodes: Sequence[Pending], kept: Sequence[Tensor], carried: Sequence[Tensor], trips: int
) -> None:
    for after, before in zip(kept, carried, strict=True):
        if not builder.is_sized(after):
            raise NotCountedError("the shape of what a step hands on is known only when it runs")
        if after.shape != before.shape:
            raise NotCountedError(
                f"it carries {list(before.shape)} into its first step and {list(after.shape)} out of it"
            )
    builder.pending.extend(item._replace(repeat=item.repeat * trips) for item in nodes)


def _read_by(nodes: Sequence[Pending]) -> list[Tensor]:
    """Tensors from around a loop that its body reads: every step needs them, so they live until the last.

    What the loop carries only enters by the first of `nodes`; a step lets go of the value it was given.
    """
    _, *body = nodes
    written = {tensor.name for item in nodes for tensor in item.outputs}
    read = {tensor.name: tensor for item in body for tensor in item.operands if tensor.weight is None}
    return [tensor for tensor in read.values() if tensor.name not in written]


def _leave(
    builder: GraphBuilder,
    node: OnnxNode,
    results: Sequence[Tensor],
    *,
    action: str,
    until_here: Sequence[Tensor] = (),
) -> None:
    """Gives a body's results the names they have outside; nothing moves."""
    operands, outputs = [], []
    for name, result in zip(node.output, results, strict=False):
        if not name:
            continue
        kind = TensorType(0, result.shape if builder.is_sized(result) else None)
        output = builder.declared(name, kind, alias=result.buffer, dtype=result.dtype)
        output = dataclasses.replace(output, weight=result.weight)
        builder.scope.values[name] = output
        operands.append(result)
        outputs.append(output)
    op = Move(action=action, shapes=tuple(output.shape for output in outputs), view=True)
    builder.emit(node, op, (*operands, *until_here), tuple(outputs))


def _stack(
    builder: GraphBuilder, node: OnnxNode, entry: int, name: str, item: Tensor, *, axis: int, trips: int
) -> None:
    """The node at `entry` makes room for every step's `item`; each step writes its own into it."""
    if not name:
        return
    shape = (*item.shape[:axis], trips, *item.shape[axis:])
    whole = builder.declared(name, TensorType(0, shape if builder.is_sized(item) else None), dtype=item.dtype)
    builder.scope.values[name] = whole
    opened = builder.pending[entry]
    outputs = (*opened.outputs, whole)
    op = Move(action=node.op_type.lower(), shapes=tuple(tensor.shape for tensor in outputs), view=True)
    builder.pending[entry] = opened._replace(op=op, outputs=outputs)
    part = builder.declared(f"{name}#part", TensorType(0, item.shape), alias=whole.buffer, dtype=item.dtype)
    builder.emit(node, Move(action="stack", shapes=(item.shape,)), (item,), (part,))
    builder.pending[-1] = builder.pending[-1]._replace(repeat=trips)


def _axes(attributes: Attributes, side: str, count: int) -> tuple[int, ...]:
    axes = attributes.integers(f"scan_{side}_axes") or (0,) * count
    if len(axes) != count:
        raise NotCountedError(f"it has {len(axes)} axes for {count} scanned values")
    return axes


def _scan_length(builder: GraphBuilder, sources: Sequence[Tensor], axes: Sequence[int]) -> int:
    if not all(builder.is_sized(source) and source.shape for source in sources):
        raise NotCountedError("the shapes of what it scans are known only when it runs")
    lengths = {source.shape[axis] for source, axis in zip(sources, axes, strict=True)}
    if len(lengths) != 1:
        raise NotCountedError("what it scans has different lengths")
    return lengths.pop()
