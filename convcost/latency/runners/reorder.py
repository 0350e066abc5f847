"""The one reordering that graphs leave open and runtimes must do: channels between two grouped convolutions. Pure."""

from __future__ import annotations

from convcost.graph import Graph, Node, Shape
from convcost.graph.ops import Conv, Move


def channel_reorder(node: Node, graph: Graph) -> tuple[int, int, int] | None:
    """How channels between a convolution of one group per input and one of a group per output are laid out.

    (groups, inputs each, outputs each): the second convolution wants the last two exchanged, so that the maps of
    one output channel lie together. None for any other reordering.
    """
    if not isinstance(node.op, Move) or node.op.action != "transpose":
        return None
    source = _conv_writing(node.operands[0].name, graph)
    target = _conv_reading(node.outputs[0].name, graph)
    if source is None or target is None or node.operands[0].shape != node.outputs[0].shape:
        return None
    inputs, outputs, maps = source.groups, target.groups, source.out_channels
    groups, rest = divmod(inputs * outputs, maps)
    if rest or not groups or source.in_channels != inputs or target.out_channels != outputs:
        return None
    return groups, inputs // groups, outputs // groups


def split_shape(shape: Shape, layout: tuple[int, int, int]) -> Shape:
    """`(N, C, *spatial)` with its channels written as three axes, of which the last two are exchanged."""
    return (shape[0], *layout, *shape[2:])


def _conv_writing(tensor: str, graph: Graph) -> Conv | None:
    ops = [node.op for node in graph.nodes if any(output.name == tensor for output in node.outputs)]
    return ops[0] if ops and isinstance(ops[0], Conv) else None


def _conv_reading(tensor: str, graph: Graph) -> Conv | None:
    ops = [node.op for node in graph.nodes if node.operands and node.operands[0].name == tensor]
    return ops[0] if ops and isinstance(ops[0], Conv) else None
