"""Values of tiny tensors, followed through the shape arithmetic that exporters leave in a graph."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from convcost.graph.tensor import MAX_RANK
from convcost.sources.onnx.attributes import Attributes
from convcost.sources.onnx.small_values import MAX_ELEMENTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcost.graph import Shape
    from convcost.sources.onnx.node import OnnxNode
    from convcost.sources.onnx.scope import Constants

Value: TypeAlias = "NDArray[np.generic]"
Fold: TypeAlias = "Callable[[Sequence[Value | None], Attributes], Value]"

_FAILURES = (ValueError, TypeError, LookupError, ZeroDivisionError, OverflowError, MemoryError, RuntimeError)
"""What NumPy raises for what cannot be; the last for more axes than it can broadcast."""


def fold(operator: str, operands: Sequence[Value | None], attributes: Attributes) -> Value | None:
    """The value of a node whose operands are all known, or None where it cannot be told."""
    folded = FOLDS.get(operator)
    if folded is None:
        return None
    try:
        with np.errstate(all="ignore"):
            value = folded(operands, attributes)
    except _FAILURES:
        return None
    return value if value.size <= MAX_ELEMENTS else None


def _known(operand: Value | None) -> Value:
    if operand is None:
        raise ValueError("an operand is omitted")
    return operand


def _ints(operand: Value | None) -> list[int]:
    """One number for each axis."""
    known = _known(operand)
    if known.size > MAX_RANK:
        raise ValueError("more numbers than there may be axes")
    return [int(item) for item in known.reshape(-1)]


def _bounded(sizes: Sequence[int]) -> tuple[int, ...]:
    if math.prod(sizes) > MAX_ELEMENTS:
        raise ValueError("larger than any shape")
    return tuple(sizes)


def _numpy(function: Callable[..., object]) -> Fold:
    def apply(operands: Sequence[Value | None], attributes: Attributes) -> Value:
        arrays = [_known(operand) for operand in operands]
        if len(arrays) != getattr(function, "nin", len(arrays)):
            raise ValueError("NumPy would write into an operand too many")
        _bounded(np.broadcast_shapes(*(array.shape for array in arrays)))
        return np.asarray(function(*arrays))

    return apply


def _divide(a: Value, b: Value) -> Value:
    if np.issubdtype(a.dtype, np.integer):
        quotient = np.floor_divide(np.abs(a), np.abs(b)) * np.sign(a) * np.sign(b)  # ONNX rounds towards zero
        return np.asarray(quotient, dtype=a.dtype)
    return np.asarray(np.divide(a, b))


def _cast(operands: Sequence[Value | None], attributes: Attributes) -> Value:
    from onnx.helper import tensor_dtype_to_np_dtype

    return _known(operands[0]).astype(tensor_dtype_to_np_dtype(attributes.integer("to", 1)))


def _gather(operands: Sequence[Value | None], attributes: Attributes) -> Value:
    data, indices = _known(operands[0]), _known(operands[1])
    axis = attributes.integer("axis", 0)
    _bounded((data.size, max(indices.size, 1)))
    return np.take(data, indices.astype(np.int64), axis=axis)


def _concat(operands: Sequence[Value | None], attributes: Attributes) -> Value:
    arrays = [_known(operand) for operand in operands]
    _bounded((sum([array.size for array in arrays]),))
    return np.concatenate(arrays, axis=attributes.integer("axis", 0))


def _slice(operands: Sequence[Value | None], attributes: Attributes) -> Value:
    data = _known(operands[0])
    if len(operands) == 1:
        starts, ends = attributes.integers("starts") or (), attributes.integers("ends") or ()
        axes, steps = attributes.integers("axes") or tuple(range(len(starts))), (1,) * len(starts)
    else:
        starts, ends = tuple(_ints(operands[1])), tuple(_ints(operands[2]))
        axes = tuple(_ints(operands[3])) if len(operands) > 3 and operands[3] is not None else tuple(range(len(starts)))
        steps = tuple(_ints(operands[4])) if len(operands) > 4 and operands[4] is not None else (1,) * len(starts)
    index = [slice(None)] * data.ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        # Going backwards, an end before the first element cannot be written as a Python index.
        index[axis] = slice(start, None if step < 0 and end < -data.shape[axis] else end, step)
    return data[tuple(index)]


def _axes(operands: Sequence[Value | None], attributes: Attributes) -> tuple[int, ...] | None:
    if len(operands) > 1 and operands[1] is not None:
        return tuple(_ints(operands[1]))
    return attributes.integers("axes")


def _squeeze(operands: Sequence[Value | None], attributes: Attributes) -> Value:
    return np.squeeze(_known(operands[0]), axis=_axes(operands, attributes))


def _unsqueeze(operands: Sequence[Value | None], attributes: Attributes) -> Value:
    return np.expand_dims(_known(operands[0]), _axes(operands, attributes) or ())


def _reshape(operands: Sequence[Value | None], attributes: Attributes) -> Value:
    data, sizes = _known(operands[0]), _ints(operands[1])
    keep_zeros = attributes.integer("allowzero", 0)
    return data.reshape([data.shape[i] if size == 0 and not keep_zeros else size for i, size in enumerate(sizes)])


def _constant_of_shape(operands: Sequence[Value | None], attributes: Attributes) -> Value:
    sizes = _bounded(_ints(operands[0]))
    value = attributes.tensor("value")
    return np.zeros(sizes, np.float32) if value is None else np.full(sizes, value.reshape(-1)[0])


def _range(operands: Sequence[Value | None], attributes: Attributes) -> Value:
    start, limit, delta = (_known(operand).reshape(-1)[0] for operand in operands)
    _bounded((max(math.ceil((float(limit) - float(start)) / float(delta)), 0),))
    return np.arange(start, limit, delta)


def _expand(operands: Sequence[Value | None], attributes: Attributes) -> Value:
    data = _known(operands[0])
    return np.broadcast_to(data, _bounded(np.broadcast_shapes(data.shape, tuple(_ints(operands[1])))))


def _reduce(function: Callable[..., object]) -> Fold:
    def apply(operands: Sequence[Value | None], attributes: Attributes) -> Value:
        axes = _axes(operands, attributes)
        if not axes and attributes.integer("noop_with_empty_axes", 0):
            return _known(operands[0])
        return np.asarray(
            function(_known(operands[0]), axis=axes or None, keepdims=bool(attributes.integer("keepdims", 1)))
        )

    return apply


FOLDS: Mapping[str, Fold] = {
    "Abs": _numpy(np.abs),
    "Add": _numpy(np.add),
    "And": _numpy(np.logical_and),
    "Cast": _cast,
    "Ceil": _numpy(np.ceil),
    "Concat": _concat,
    "ConstantOfShape": _constant_of_shape,
    "Div": _numpy(_divide),
    "Equal": _numpy(np.equal),
    "Expand": _expand,
    "Floor": _numpy(np.floor),
    "Gather": _gather,
    "Greater": _numpy(np.greater),
    "GreaterOrEqual": _numpy(np.greater_equal),
    "Identity": lambda operands, attributes: _known(operands[0]),
    "Less": _numpy(np.less),
    "LessOrEqual": _numpy(np.less_equal),
    "Max": _numpy(lambda *arrays: functools.reduce(np.maximum, arrays)),
    "Min": _numpy(lambda *arrays: functools.reduce(np.minimum, arrays)),
    "Mod": _numpy(np.mod),
    "Mul": _numpy(np.multiply),
    "Neg": _numpy(np.negative),
    "Not": _numpy(np.logical_not),
    "Or": _numpy(np.logical_or),
    "Range": _range,
    "ReduceMax": _reduce(np.max),
    "ReduceMin": _reduce(np.min),
    "ReduceProd": _reduce(np.prod),
    "ReduceSum": _reduce(np.sum),
    "Reshape": _reshape,
    "Slice": _slice,
    "Sqrt": _numpy(np.sqrt),
    "Squeeze": _squeeze,
    "Sub": _numpy(np.subtract),
    "Transpose": lambda operands, attributes: np.transpose(_known(operands[0]), attributes.integers("perm")),
    "Unsqueeze": _unsqueeze,
    "Where": _numpy(np.where),
}


def shape_values(node: OnnxNode, shape: tuple[int, ...]) -> Value | None:
    """What a Shape (or Size) node gives for a tensor of `shape`; None for a number that its 64 bits cannot hold."""
    if node.op_type == "Size":
        measured: Sequence[int] | int = math.prod(shape)
    else:
        limits = {attribute.name: attribute.i for attribute in node.attribute}
        measured = shape[limits.get("start", 0) : limits.get("end", len(shape))]
    try:
        return np.asarray(measured, dtype=np.int64)
    except OverflowError:
        return None


_MEASURES = frozenset({"Shape", "Size"})
FOLLOWED = _MEASURES.union(FOLDS)
"""Operators of whose results the values are followed."""


def follow(node: OnnxNode, shape: Shape | None, constants: Constants) -> None:
    """Learns the value of the result of a node whose first operand has this `shape`, where it can be told."""
    if not node.output:
        return
    if node.op_type in _MEASURES:
        measured = None if shape is None else shape_values(node, shape)
        if measured is not None:
            constants.learn(node.output[0], measured)
        return
    values = []
    for name in node.input:
        known = constants.of(name) if name else None
        if name and known is None:
            return
        values.append(known)
    value = fold(node.op_type, values, Attributes(node))
    if value is not None:
        constants.learn(node.output[0], value)
