"""Names in a file are text, or the file is refused: protobuf hands over bytes where they are not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from convcost.errors import SourceError

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto


_LONGEST_SHOWN = 100


def shown(name: str) -> str:
    """A file's name for something, fit for one line of a message.

    >>> shown("a\\nb"), shown("layer1.conv")
    ('a\\\\nb', 'layer1.conv')
    """
    text = name if name.isprintable() else name.encode("unicode_escape").decode("ascii")
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def refuse_unreadable_names(model: ModelProto, suspects: Iterable[int], path: str) -> None:
    """Raises `SourceError` for a name that is not UTF-8, wherever it lies; of the graph's nodes in the `suspects`."""
    texts: list[object] = [opset.domain for opset in model.opset_import]
    texts += _values(model.graph)
    texts += _nodes([model.graph.node[place] for place in suspects])
    for function in model.functions:
        texts += [function.name, function.domain, *function.input, *function.output, *_nodes(function.node)]
    if set(map(type, texts)) - {str}:
        raise unreadable(next(text for text in texts if not isinstance(text, str)), path)


def unreadable(name: object, path: str) -> SourceError:
    """The error for what should be a text."""
    return SourceError(
        f"{path}: a name in it is not text: {name!r:.60}", hint="the file is damaged; export or download it again"
    )


def _graph(graph: GraphProto) -> list[object]:
    return _nodes(graph.node) + _values(graph)


def _values(graph: GraphProto) -> list[object]:
    texts: list[object] = []
    for value in (*graph.input, *graph.output, *graph.value_info):
        texts.append(value.name)
        texts += [dim.dim_param for dim in value.type.tensor_type.shape.dim]
    for tensor in (*graph.initializer, *(sparse.values for sparse in graph.sparse_initializer)):
        texts.append(tensor.name)
    return texts


def _nodes(nodes: Iterable[NodeProto]) -> list[object]:
    texts: list[object] = []
    for node in nodes:
        texts += (node.name, node.op_type, node.domain, *node.input[:], *node.output[:])
        for entry in node.metadata_props[:]:
            texts += (entry.key, entry.value)
        for attribute in node.attribute[:]:
            texts.append(attribute.name)
            if attribute.type == _TENSOR:
                texts.append(attribute.t.name)
            elif attribute.HasField("g"):
                texts += _graph(attribute.g)
    return texts


_TENSOR = 4
