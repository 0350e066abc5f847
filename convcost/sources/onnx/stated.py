"""Shapes that a file states of what it computes: true of the inputs it had when they were written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from convcost.sources.onnx.node import read_nodes, with_bodies

if TYPE_CHECKING:
    from onnx import GraphProto, TypeProto, ValueInfoProto


def forget_shapes(graph: GraphProto) -> None:
    """Drops what the file states of every value after the inputs, in branches and loop bodies too."""
    _drop(graph)
    for node in with_bodies(read_nodes(graph.node)):
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _drop(attribute.g)
                for value in attribute.g.input:
                    _open(value)


def set_aside(graph: GraphProto) -> GraphProto:
    """Takes out what a graph states of its own values, for inference to go by its inputs alone."""
    stated = type(graph)(value_info=graph.value_info, output=graph.output)
    _drop(graph)
    return stated


def contradiction(shapes: Callable[[str], Sequence[int] | None], stated: GraphProto) -> str | None:
    """The name of a value whose shape is another than stated. An open size is 0 or less, as exporters write it too."""
    for value in (*stated.value_info, *stated.output):
        tensor = value.type.tensor_type
        sizes = shapes(value.name) if tensor.HasField("shape") else None
        if sizes is not None and _differ(sizes, [dim.dim_value for dim in tensor.shape.dim]):
            return str(value.name)
    return None


def shapes_beside(graph: GraphProto, stated: GraphProto) -> Callable[[str], Sequence[int] | None]:
    """Those that `graph` has for the values that `stated` may speak of."""
    types = _types_beside(graph, stated)

    def shape(name: str) -> Sequence[int] | None:
        kind = types.get(name)
        if kind is None or not kind.tensor_type.HasField("shape"):
            return None
        return [dim.dim_value for dim in kind.tensor_type.shape.dim]

    return shape


def fill_in(graph: GraphProto, stated: GraphProto) -> None:
    """Gives values whose shape could not be inferred the one that is stated."""
    values = _types_beside(graph, stated)
    for value in (*stated.value_info, *stated.output):
        found = values.get(value.name)
        if found is None:
            graph.value_info.append(value)
        elif _is_fixed(value.type) and not _is_fixed(found):
            tensor = found.tensor_type
            tensor.shape.CopyFrom(value.type.tensor_type.shape)
            tensor.elem_type = tensor.elem_type or value.type.tensor_type.elem_type


def _types_beside(graph: GraphProto, stated: GraphProto) -> dict[str, TypeProto]:
    """What `graph` says of the values that `stated` may speak of, which are its outputs alone in many files."""
    values = (*graph.value_info, *graph.output) if stated.value_info else graph.output
    return {value.name: value.type for value in values}


def _drop(graph: GraphProto) -> None:
    del graph.value_info[:]
    for value in graph.output:
        _open(value)


def _open(value: ValueInfoProto) -> None:
    if value.type.HasField("tensor_type"):
        value.type.tensor_type.ClearField("shape")


def _is_fixed(kind: TypeProto) -> bool:
    tensor = kind.tensor_type
    return tensor.HasField("shape") and all(
        dim.HasField("dim_value") and dim.dim_value >= 0 for dim in tensor.shape.dim
    )


def _differ(sizes: Sequence[int], stated: Sequence[int]) -> bool:
    return len(sizes) != len(stated) or any(a > 0 and b > 0 and a != b for a, b in zip(sizes, stated, strict=True))
