"""Operators whose shapes onnx cannot be asked for among nodes it knows too little of: it crashes, never ends, or errs.

Found by giving every operator of onnx 1.23 inputs without types, missing, of negative and of huge sizes, and negative
and huge numbers for attributes. They are hidden from the inference of the whole model, and inferred one by one where
their operands are known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from convcost.graph import Tensor
from convcost.sources.onnx.node import WITH_SUBGRAPHS
from convcost.sources.onnx.ranks import beyond_bounds

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

    from convcost.sources.onnx.node import OnnxNode

_CRASHING = frozenset({"EyeLike", "GatherND", "RegexFullMatch", "DictVectorizer", "LabelEncoder", "TreeEnsemble"})
_LENGTHS_AS_RANKS = "Expand"  # adds a dimension for every element of its second input
_MISTAKEN = frozenset({"STFT"})  # takes its result for two-sided where the file leaves the default
_SHORT_LISTS = frozenset({"Constant", "Shape"})
_MOST_BRANCHINGS = 256
"""In one graph; the time that onnx takes grows with their square."""
_HIDDEN = "convcost.hidden."
_LONGEST_LIST = 4096
_LAST_AXIS = 2**31 - 1


def _says_other_parts(split: NodeProto) -> bool:
    """The number of parts that the node says is believed, not how many it has."""
    return any(each.name == "num_outputs" and each.i != len(split.output) for each in split.attribute)


def _says_a_far_axis(normalization: NodeProto) -> bool:
    """Cut to 32 bits it is negative, and written to."""
    return any(each.i > _LAST_AXIS for each in normalization.attribute)


def _says_less_than_none(gather: NodeProto) -> bool:
    return any(each.i < 0 for each in gather.attribute)


_BY_ATTRIBUTES: Mapping[str, Callable[[NodeProto], bool]] = {
    "Split": _says_other_parts,
    "LayerNormalization": _says_a_far_axis,
    "GatherND": _says_less_than_none,
}
_LOOKED_AT = _CRASHING.union(_MISTAKEN, WITH_SUBGRAPHS, [_LENGTHS_AS_RANKS], _BY_ATTRIBUTES)


def inferred_without(model: ModelProto, infer: Callable[[ModelProto], ModelProto]) -> ModelProto:
    """What `infer` makes of the model while those nodes have an operator that nobody knows."""
    hidden = _hidden([*_unsafe(model.graph)])
    hidden += _hidden([node for node in beyond_bounds(model.graph) if not node.op_type.startswith(_HIDDEN)])
    if not hidden:
        return infer(model)
    try:
        found = infer(model)
    finally:
        for node in hidden:
            node.op_type = node.op_type.removeprefix(_HIDDEN)
    for node in _all_nodes(found.graph):
        node.op_type = node.op_type.removeprefix(_HIDDEN)
    return found


def _hidden(nodes: list[NodeProto]) -> list[NodeProto]:
    for node in nodes:
        node.op_type = _HIDDEN + node.op_type
    return nodes


def is_safe(node: OnnxNode, operands: Sequence[Tensor]) -> bool:
    """Whether onnx may be asked for this node alone, all of whose present operands are known."""
    operator = node.op_type
    if operator in _MISTAKEN or operator == "TreeEnsemble":
        return False
    if operator in _BY_ATTRIBUTES and _BY_ATTRIBUTES[operator](node.message):
        return False
    if operator in _CRASHING:
        return bool(node.input) and "" not in node.input
    return operator != _LENGTHS_AS_RANKS or all(operand.shape <= (_LONGEST_LIST,) for operand in operands[1:])


def _unsafe(graph: GraphProto) -> Iterator[NodeProto]:
    found = [node for node in graph.node if node.op_type in _LOOKED_AT]
    operators = [node.op_type for node in found]
    many = operators.count("If") > _MOST_BRANCHINGS
    short = _short_lists(graph) if _LENGTHS_AS_RANKS in operators else frozenset()
    for node, operator in zip(found, operators, strict=True):
        if operator in WITH_SUBGRAPHS and not (operator == "If" and many):
            for attribute in node.attribute:
                yield from _unsafe(attribute.g)
        elif operator == _LENGTHS_AS_RANKS:
            if not short.issuperset(node.input[1:]):
                yield node
        elif operator not in _BY_ATTRIBUTES or operator in _CRASHING or _BY_ATTRIBUTES[operator](node):
            yield node


def _short_lists(graph: GraphProto) -> frozenset[str]:
    made = {output for node in graph.node if node.op_type in _SHORT_LISTS for output in node.output}
    return frozenset(made.union(tensor.name for tensor in graph.initializer if list(tensor.dims) <= [_LONGEST_LIST]))


def _all_nodes(graph: GraphProto) -> Iterator[NodeProto]:
    for node in graph.node:
        yield node
        if node.op_type in WITH_SUBGRAPHS:
            for attribute in node.attribute:
                yield from _all_nodes(attribute.g)
