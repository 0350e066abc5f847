"""Rotary position embedding: on its own, and as attention operators do it to their queries and keys."""

from __future__ import annotations

from convcost.graph import Tensor
from convcost.graph.ops import Elementwise, Move
from convcost.sources.onnx.lowering.call import Call, Lowered, NotCountedError
from convcost.sources.onnx.lowering.registry import lowers

# Every element times a cosine, plus its partner times a sine.
_ROTATION = Elementwise(function="rotary_embedding", operations=3)


@lowers("RotaryEmbedding")
def lower_rotary_embedding(call: Call) -> Lowered:
    """Data is by heads, or has `num_heads` of them side by side; each is rotated in its first values, or whole."""
    data = call.operand(0)
    heads = call.attributes.integer("num_heads", 0) if len(data.shape) == 3 else 1
    each = call.attributes.integer("rotary_embedding_dim", 0)
    if not each:
        return Lowered(op=_ROTATION, operands=(data,))
    if heads < 1:
        raise NotCountedError("it rotates a part of every head and does not say how many heads there are")
    return _partly(call, data, heads * each)


def rotated(call: Call, part: Tensor, size: int) -> Tensor:
    """`part` with `size` values along its last axis rotated in pairs; the others are copied beside them."""
    lowered = _partly(call, part, size)
    return call.step(lowered.op, *lowered.operands)


def _partly(call: Call, part: Tensor, size: int) -> Lowered:
    whole = part.shape[-1]
    if not 0 < size <= whole:
        raise NotCountedError(f"a rotation of {size} values does not fit an operand of shape {list(part.shape)}")
    if size == whole:
        return Lowered(op=_ROTATION, operands=(part,))
    turning, kept = (
        call.step(Move(action="slice", shapes=((*part.shape[:-1], length),), view=True), part)
        for length in (size, whole - size)
    )
    return Lowered(op=Move(action="concat", shapes=(part.shape,)), operands=(call.step(_ROTATION, turning), kept))
