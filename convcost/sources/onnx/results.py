"""What is known of a node's outputs, put together from all that tells something of them."""

from __future__ import annotations

from collections.abc import Sequence

from convcost.graph.ops import Conv, ConvTranspose, Einsum, Linear, MatMul, Pool, Recurrent
from convcost.sources.onnx.inference import TensorType
from convcost.sources.onnx.lowering import Lowered, NotCountedError
from convcost.sources.onnx.node import OnnxNode

_SHAPED = (Conv, ConvTranspose, Einsum, Linear, MatMul, Pool)


def filled_in(kind: TensorType, stated: TensorType | None) -> TensorType:
    """What a node tells of its output, and where it leaves the shape open, what is known beside."""
    if stated is None or kind.shape is not None:
        return kind
    return TensorType(kind.elem_type or stated.elem_type, stated.shape)


def completed(lowered: Lowered, results: Sequence[TensorType]) -> tuple[TensorType, ...]:
    """Output types with the shapes that inference left open filled in by the lowering, or the op itself.

    Ops that refuse operands that do not fit always have the word: onnx infers an empty map there.
    """
    kinds = []
    for position, kind in enumerate(results):
        shape = kind.shape
        if shape is None and position < len(lowered.shapes):
            shape = lowered.shapes[position]
        if position == 0 and (shape is None or isinstance(lowered.op, _SHAPED)):
            shape = lowered.op.output_shapes(tuple(operand.shape for operand in lowered.operands))[0]
        kinds.append(kind if shape is kind.shape else TensorType(kind.elem_type, shape))
    return tuple(kinds)


def refuse_unnamed_result(node: OnnxNode, lowered: Lowered, kinds: Sequence[TensorType]) -> None:
    """An op's cost goes by its first output: where that is left out, another may stand for it only if it is alike."""
    if node.output and "" not in node.output:
        return
    named = [kind for name, kind in zip(node.output, kinds, strict=True) if name]
    if not named or (not node.output[0] and not isinstance(lowered.op, Recurrent) and named[0].shape != kinds[0].shape):
        raise NotCountedError("its first result, which its cost goes by, has no name")
