"""Attention: ONNX's own operator, and the fused ones of onnxruntime's optimiser."""

from __future__ import annotations

from convcost.graph import Tensor
from convcost.graph.ops import Attention, Elementwise, Linear, Move
from convcost.sources.onnx.lowering.call import Call, Lowered, NotCountedError
from convcost.sources.onnx.lowering.registry import lowers


@lowers("Attention")
def lower_attention(call: Call) -> Lowered:
    if call.domain == "com.microsoft":
        return _projected_attention(call, past=4, mask=(3, 5))
    query = call.operand(0)
    if len(query.shape) == 4:
        heads = (query.shape[1], call.operand(1).shape[1])
    else:
        heads = (call.attributes.integer("q_num_heads", 0), call.attributes.integer("kv_num_heads", 0))
    return _attended(call, call.picked(0, 1, 2), heads, past=(4, 5), masks=(3,), causal="is_causal")


@lowers("QAttention")
def lower_quantized_attention(call: Call) -> Lowered:
    return _projected_attention(call, past=8, mask=(5,))


@lowers("MultiHeadAttention")
def lower_multi_head_attention(call: Call) -> Lowered:
    heads = call.attributes.integer("num_heads", 0)
    query, key, value = (call.argument(position) for position in range(3))
    if query is None or key is None or value is None or len(query.shape) != 3:
        raise NotCountedError("packed query, key and value are not modelled")
    bias = call.argument(3)
    if bias is not None:
        query, key, value = (
            call.step(Elementwise(function="add"), part, shape=part.shape) for part in (query, key, value)
        )
    return _attended(call, (query, key, value), (heads, heads), past=(6, 7), masks=(4, 5), causal="unidirectional")


@lowers("GroupQueryAttention")
def lower_group_query_attention(call: Call) -> Lowered:
    heads = (call.attributes.integer("num_heads", 0), call.attributes.integer("kv_num_heads", 0))
    if call.argument(1) is None or call.argument(2) is None:
        raise NotCountedError("packed query, key and value are not modelled")
    return _attended(call, call.picked(0, 1, 2), heads, past=(3, 4), masks=(), causal="")


def _projected_attention(call: Call, *, past: int, mask: tuple[int, ...]) -> Lowered:
    """One stored matrix projects the data to query, key and value side by side."""
    data, weight = call.operand(0), call.operand(1)
    heads = call.attributes.integer("num_heads", 0)
    if call.argument(past) is not None or "qkv_hidden_sizes" in call.attributes:
        raise NotCountedError("attention with a past or with unequal projections is not modelled")
    if len(data.shape) != 3 or len(weight.shape) != 2 or weight.shape[1] % 3:
        raise NotCountedError(f"a projection of {list(data.shape)} by {list(weight.shape)} is not modelled")
    linear = Linear(in_features=weight.shape[0], out_features=weight.shape[1])
    projected = call.step(linear, data, weight, *call.picked(2))
    part = (*data.shape[:2], weight.shape[1] // 3)
    split = [call.step(Move(action="slice", shapes=(part,), view=True), projected) for _ in range(3)]
    masks = tuple(position for position in mask if call.argument(position) is not None)
    return _attended(call, tuple(split), (heads, heads), past=(), masks=masks, causal="unidirectional")


def _attended(
    call: Call,
    parts: tuple[Tensor, ...],
    heads: tuple[int, int],
    *,
    past: tuple[int, ...],
    masks: tuple[int, ...],
    causal: str,
) -> Lowered:
    """Query, key and value by heads, earlier keys and values before the new ones, and the heads merged again."""
    merged = len(parts[0].shape) == 3
    query = _by_heads(call, parts[0], heads[0])
    key, value = (_by_heads(call, part, heads[1]) for part in parts[1:])
    earlier = call.picked(*past)
    if earlier:
        if len(earlier) != 2:
            raise NotCountedError("it has a past key or a past value alone")
        key, value = (_after(call, old, new) for old, new in zip(earlier, (key, value), strict=True))
    op = Attention(causal=bool(causal and call.attributes.integer(causal, 0)))
    operands = (query, key, value, *call.picked(*masks))
    if not merged:
        return Lowered(op=op, operands=operands, shapes=(None, key.shape, value.shape))
    output = call.step(op, *operands)
    batch, count, length, size = output.shape
    shape = (batch, length, count * size)
    return Lowered(
        op=Move(action="merge_heads", shapes=(shape,), view=True),
        operands=(output,),
        view_of=output,
        shapes=(shape, key.shape, value.shape),
    )


def _by_heads(call: Call, part: Tensor, heads: int) -> Tensor:
    if len(part.shape) == 4:
        return part
    if len(part.shape) != 3 or heads < 1 or part.shape[-1] % heads:
        raise NotCountedError(f"{heads} heads do not divide an operand of shape {list(part.shape)}")
    batch, length, size = part.shape
    shape = (batch, heads, length, size // heads)
    return call.step(Move(action="split_heads", shapes=(shape,), view=True), part)


def _after(call: Call, old: Tensor, new: Tensor) -> Tensor:
    if len(old.shape) != 4 or old.shape[-1] != new.shape[-1]:
        raise NotCountedError(f"a past of shape {list(old.shape)} does not fit {list(new.shape)}")
    shape = (*new.shape[:2], old.shape[2] + new.shape[2], new.shape[3])
    return call.step(Move(action="concat", shapes=(shape,)), old, new)


@lowers("RotaryEmbedding")
def lower_rotary_embedding(call: Call) -> Lowered:
    """Every element times a cosine, plus its partner times a sine."""
    return Lowered(op=Elementwise(function="rotary_embedding", operations=3), operands=(call.operand(0),))
