"""How many axes values may have, told before onnx infers shapes: it sets no bound, and a Gather can double them."""

from __future__ import annotations

import math
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING

from convcost.graph.tensor import MAX_RANK
from convcost.sources.onnx.constant import constant_tensor, is_constant
from convcost.sources.onnx.node import WITH_SUBGRAPHS, OnnxNode, read_nodes

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto, TensorProto, TypeProto

_FEW = 3
"""Ranges, windows, images and the like have axes that none of their operands has."""


_LONGEST_TYPE = 4096
"""Bytes; an axis may have a name and a denotation of any length, and both are handed on from node to node."""


class _Known:
    """The most axes that a value has, by its name, and the elements of one that may be a list."""

    def __init__(self, outer: _Known | None) -> None:
        self.axes: MutableMapping[str, int] = ChainMap({}, outer.axes if outer else {})
        self.elements: MutableMapping[str, int] = ChainMap({}, outer.elements if outer else {})

    def most(self, names: Iterable[str]) -> int:
        return max([self.axes.get(name, 0) for name in names], default=0)

    def longest(self, names: Iterable[str]) -> int:
        return max([self.elements.get(name, 0) for name in names], default=0)

    def write(self, name: str, axes: int) -> None:
        """What the file states of the value counts too."""
        self.axes[name] = max(axes, self.axes.get(name, 0))

    def store(self, name: str, tensor: TensorProto) -> None:
        self.axes[name] = len(tensor.dims)
        self.elements[name] = math.prod(tensor.dims) if len(tensor.dims) <= MAX_RANK else 0


def beyond_bounds(graph: GraphProto) -> Iterator[NodeProto]:
    """The nodes, also in subgraphs, whose results may have more than `MAX_RANK` axes, were all others inferred."""
    yield from _beyond(graph, _Known(None), 0)


def _beyond(graph: GraphProto, known: _Known, given: int) -> Iterator[NodeProto]:
    """Of a graph whose inputs are given values of so many axes at most."""
    for tensor in (*graph.initializer, *(sparse.values for sparse in graph.sparse_initializer)):
        known.store(tensor.name, tensor)
    for value in (*graph.value_info, *graph.output):
        known.write(value.name, _axes_of(value.type))
    for value in graph.input:
        known.write(value.name, max(given, _axes_of(value.type)))
    for node in read_nodes(graph.node):
        tensor = constant_tensor(node) if is_constant(node) else None
        if tensor is not None:
            known.store(node.output[0] if node.output else "", tensor)
        else:
            yield from _beyond_at(node, known)


def _beyond_at(node: OnnxNode, known: _Known) -> Iterator[NodeProto]:
    axes = _GROWING.get(node.op_type, _as_operands)(node, known)
    for attribute in node.attribute if node.op_type in WITH_SUBGRAPHS else ():
        inner = _Known(known)
        yield from _beyond(attribute.g, inner, known.most(node.input))
        results = inner.most(value.name for value in attribute.g.output)
        axes = max(axes, results + _stacks(node, attribute.g))
    if axes > MAX_RANK:
        yield node.message
        return
    for name in node.output:
        known.write(name, axes)
        if node.op_type == "Shape":
            known.elements[name] = axes


def _stacks(node: OnnxNode, body: GraphProto) -> bool:
    """Whether it has results of all steps put together, not the last one's alone, as for what a Loop carries."""
    return node.op_type == "Scan" or (node.op_type == "Loop" and len(body.output) >= len(node.input))


def _axes_of(kind: TypeProto) -> int:
    """Of a tensor, or of one in a sequence or an optional value; too many where its type is too long."""
    if kind.ByteSize() > _LONGEST_TYPE:
        return MAX_RANK + 1
    if kind.HasField("sequence_type"):
        return _axes_of(kind.sequence_type.elem_type)
    if kind.HasField("optional_type"):
        return _axes_of(kind.optional_type.elem_type)
    return max(len(kind.tensor_type.shape.dim), len(kind.sparse_tensor_type.shape.dim))


def _as_operands(node: OnnxNode, known: _Known) -> int:
    return max(_FEW, known.most(node.input))


def _one_more(node: OnnxNode, known: _Known) -> int:
    return known.most(node.input) + 1


def _together(node: OnnxNode, known: _Known) -> int:
    return sum([known.most([name]) for name in node.input]) - 1


def _listed(node: OnnxNode, known: _Known) -> int:
    in_attributes = max([len(attribute.ints) for attribute in node.attribute], default=0)
    return max(in_attributes, known.longest(node.input[1:]))


def _as_elements(node: OnnxNode, known: _Known) -> int:
    return known.longest(node.input)


def _as_listed(node: OnnxNode, known: _Known) -> int:
    return max(known.most(node.input), _listed(node, known))


def _more_as_listed(node: OnnxNode, known: _Known) -> int:
    return known.most(node.input) + _listed(node, known)


def _as_typed(node: OnnxNode, known: _Known) -> int:
    return max([known.most(node.input), *(_axes_of(attribute.tp) for attribute in node.attribute)])


def _by_equation(node: OnnxNode, known: _Known) -> int:
    """One for every letter of the result, and those that an operand has under its dots."""
    equation = b"".join(attribute.s for attribute in node.attribute).replace(b" ", b"")
    terms, _, result = equation.partition(b"->")
    operands = zip(node.input, terms.split(b","), strict=False)
    dotted = [known.most([name]) - len(term) + 3 for name, term in operands if b"..." in term]
    return len(result or set(terms)) + max(dotted, default=0)


_GROWING: Mapping[str, Callable[[OnnxNode, _Known], int]] = {
    "Col2Im": _more_as_listed,
    "ConcatFromSequence": _one_more,
    "ConstantOfShape": _as_elements,
    "Einsum": _by_equation,
    "Expand": _as_listed,
    "Gather": _together,
    "OneHot": _one_more,
    "OneHotEncoder": _one_more,
    "Optional": _as_typed,
    "RandomNormal": _as_listed,
    "RandomUniform": _as_listed,
    "Reshape": _as_listed,
    "StringSplit": _one_more,
    "Unsqueeze": _more_as_listed,
}
"""Operators whose results may have any number of axes more than their operands, if enough of them follow each other."""
