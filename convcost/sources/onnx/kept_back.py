"""Operators whose shapes onnx cannot be asked for among nodes it knows too little of: it crashes, never ends, or errs.

Found by giving every operator of onnx 1.23 inputs without types, missing, of negative and of huge sizes. They are
hidden from the inference of the whole model, and inferred one by one where their operands are known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from convcost.graph import Tensor

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

    from convcost.sources.onnx.node import OnnxNode

_CRASHING = frozenset({"EyeLike", "GatherND", "RegexFullMatch", "DictVectorizer", "LabelEncoder", "TreeEnsemble"})
_LENGTHS_AS_RANKS = "Expand"  # adds a dimension for every element of its second input
_PARTS = "Split"  # believes the number of parts that the node says, not how many it has
_MISTAKEN = frozenset({"STFT"})  # takes its result for two-sided where the file leaves the default
_SHORT_LISTS = frozenset({"Constant", "Shape"})
_WITH_SUBGRAPHS = frozenset({"If", "Loop", "Scan", "SequenceMap"})
_LOOKED_AT = _CRASHING | _MISTAKEN | _WITH_SUBGRAPHS | {_LENGTHS_AS_RANKS, _PARTS}
_MOST_BRANCHINGS = 256
"""In one graph; the time that onnx takes grows with their square."""
_HIDDEN = "convcost.hidden."
_LONGEST_LIST = 4096


def inferred_without(model: ModelProto, infer: Callable[[ModelProto], ModelProto]) -> ModelProto:
    """What `infer` makes of the model while those nodes have an operator that nobody knows."""
    hidden = list(_unsafe(model.graph))
    if not hidden:
        return infer(model)
    for node in hidden:
        node.op_type = _HIDDEN + node.op_type
    try:
        found = infer(model)
    finally:
        for node in hidden:
            node.op_type = node.op_type.removeprefix(_HIDDEN)
    for node in _all_nodes(found.graph):
        node.op_type = node.op_type.removeprefix(_HIDDEN)
    return found


def is_safe(node: OnnxNode, operands: Sequence[Tensor]) -> bool:
    """Whether onnx may be asked for this node alone, all of whose present operands are known."""
    operator = node.op_type
    if operator in _MISTAKEN or operator == "TreeEnsemble":
        return False
    if operator in _CRASHING:
        return bool(node.input) and "" not in node.input
    if operator == _PARTS:
        return not _says_other_parts(node.message)
    return operator != _LENGTHS_AS_RANKS or all(operand.shape <= (_LONGEST_LIST,) for operand in operands[1:])


def _unsafe(graph: GraphProto) -> Iterator[NodeProto]:
    found = [node for node in graph.node if node.op_type in _LOOKED_AT]
    if not found:
        return
    many = sum(node.op_type == "If" for node in found) > _MOST_BRANCHINGS
    short = {output for node in graph.node if node.op_type in _SHORT_LISTS for output in node.output}
    short.update(tensor.name for tensor in graph.initializer if list(tensor.dims) <= [_LONGEST_LIST])
    for node in found:
        if node.op_type == "If" and many:
            yield node
        elif node.op_type in _WITH_SUBGRAPHS:
            for attribute in node.attribute:
                yield from _unsafe(attribute.g)
        elif node.op_type == _PARTS:
            if _says_other_parts(node):
                yield node
        elif node.op_type != _LENGTHS_AS_RANKS or not short.issuperset(node.input[1:]):
            yield node


def _says_other_parts(split: NodeProto) -> bool:
    return any(each.name == "num_outputs" and each.i != len(split.output) for each in split.attribute)


def _all_nodes(graph: GraphProto) -> Iterator[NodeProto]:
    for node in graph.node:
        yield node
        if node.op_type in _WITH_SUBGRAPHS:
            for attribute in node.attribute:
                yield from _all_nodes(attribute.g)
