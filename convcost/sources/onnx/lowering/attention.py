"""Attention: ONNX's own operator, and the fused ones of onnxruntime's optimiser."""

from __future__ import annotations

from convcost.graph import Tensor
from convcost.graph.ops import Attention, Elementwise, Linear, Move
from convcost.sources.onnx.lowering.call import Call, Lowered, NotCountedError
from convcost.sources.onnx.lowering.registry import lowers
from convcost.sources.onnx.lowering.rotary import rotated


@lowers("Attention")
def lower_attention(call: Call) -> Lowered:
    if call.domain == "com.microsoft":
        return _projected_attention(call, past=4, mask=(3, 5))
    query = call.operand(0)
    if len(query.shape) == 4:
        heads = (query.shape[1], call.operand(1).shape[1])
    else:
        heads = (call.attributes.integer("q_num_heads", 0), call.attributes.integer("kv_num_heads", 0))
    causal = bool(call.attributes.integer("is_causal", 0))
    return _attended(call, _by_heads(call, call.picked(0, 1, 2), heads), past=(4, 5), masks=(3,), causal=causal)


@lowers("QAttention")
def lower_quantized_attention(call: Call) -> Lowered:
    return _projected_attention(call, past=8, mask=(5,))


@lowers("MultiHeadAttention")
def lower_multi_head_attention(call: Call) -> Lowered:
    """Key and value may come by heads already, from another layer; the bias of all three lies in one tensor."""
    heads = call.attributes.integer("num_heads", 0)
    parts = call.picked(0, 1, 2)
    if len(parts) != 3 or len(parts[0].shape) != 3:
        raise NotCountedError("packed query, key and value are not modelled")
    bias = call.argument(3)
    if bias is not None:
        if any(len(part.shape) != 3 for part in parts):
            raise NotCountedError("a bias beside keys and values that are split by heads is not modelled")
        pieces = _split(call, bias, tuple(part.shape[-1] for part in parts))
        added = Elementwise(function="add")
        parts = tuple(call.step(added, part, piece) for part, piece in zip(parts, pieces, strict=True))
    causal = bool(call.attributes.integer("unidirectional", 0))
    return _attended(call, _by_heads(call, parts, (heads, heads)), past=(6, 7), masks=(4, 5), causal=causal)


@lowers("GroupQueryAttention")
def lower_group_query_attention(call: Call) -> Lowered:
    """Query, key and value apart or side by side in the first operand; causal unless the node says otherwise."""
    heads = (call.attributes.integer("num_heads", 0), call.attributes.integer("kv_num_heads", 0))
    parts = call.picked(0, 1, 2)
    if len(parts) == 1 and min(heads) > 0:
        size = parts[0].shape[-1] // (heads[0] + 2 * heads[1])
        parts = _split(call, parts[0], (heads[0] * size, heads[1] * size, heads[1] * size))
    if len(parts) != 3:
        raise NotCountedError("it has a key or a value alone")
    if call.picked(14, 15):
        raise NotCountedError("normalised queries and keys are not modelled")
    query, key, value = _by_heads(call, parts, heads)
    if call.attributes.integer("do_rotary", 0):
        table = call.operand(7)
        query, key = (rotated(call, part, 2 * table.shape[-1]) for part in (query, key))
    causal = bool(call.attributes.integer("causal", 1))
    return _attended(call, (query, key, value), past=(3, 4), masks=(10,), causal=causal)


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
    query, key, value = _by_heads(call, _split(call, projected, (weight.shape[1] // 3,) * 3), (heads, heads))
    if call.attributes.integer("do_rotary", 0):
        turned = call.attributes.integer("rotary_embedding_dim", 0) or query.shape[-1]
        query, key = (rotated(call, part, turned) for part in (query, key))
    masks = tuple(position for position in mask if call.argument(position) is not None)
    causal = bool(call.attributes.integer("unidirectional", 0))
    return _attended(call, (query, key, value), past=(), masks=masks, causal=causal)


def _attended(
    call: Call, parts: tuple[Tensor, ...], *, past: tuple[int, ...], masks: tuple[int, ...], causal: bool
) -> Lowered:
    """Query, key and value by heads, with earlier keys and values before the new ones; heads merged as they came."""
    query, key, value = parts
    earlier = call.picked(*past)
    if earlier:
        if len(earlier) != 2:
            raise NotCountedError("it has a past key or a past value alone")
        key, value = (_after(call, old, new) for old, new in zip(earlier, (key, value), strict=True))
    op = Attention(causal=causal)
    operands = (query, key, value, *call.picked(*masks))
    present = {1: key, 2: value}
    if len(call.operand(0).shape) == 4:
        return Lowered(op=op, operands=operands, passed=present)
    output = call.step(op, *operands)
    batch, count, length, size = output.shape
    merged = Move(action="merge_heads", shapes=((batch, length, count * size),), view=True)
    return Lowered(op=merged, operands=(output,), view_of=output, shapes=merged.shapes, passed=present)


def _split(call: Call, whole: Tensor, sizes: tuple[int, ...]) -> tuple[Tensor, ...]:
    """Slices along the last axis, which are the memory they are cut from."""
    if whole.shape[-1:] != (sum(sizes),):
        raise NotCountedError(f"{sum(sizes)} values do not lie side by side in an operand of {list(whole.shape)}")
    shapes = [(*whole.shape[:-1], size) for size in sizes]
    return tuple([call.step(Move(action="slice", shapes=(shape,), view=True), whole) for shape in shapes])


def _by_heads(call: Call, parts: tuple[Tensor, ...], heads: tuple[int, int]) -> tuple[Tensor, ...]:
    query, *others = parts
    return (_heads_apart(call, query, heads[0]), *(_heads_apart(call, part, heads[1]) for part in others))


def _heads_apart(call: Call, part: Tensor, heads: int) -> Tensor:
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
