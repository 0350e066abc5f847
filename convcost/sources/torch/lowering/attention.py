"""Attention: one op whatever kernel torch chose, and the fused encoder kernels taken apart again."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from convcost.graph import Shape, Tensor
from convcost.graph.ops import Activation, Attention, Elementwise, Linear, Move, Normalize, Op
from convcost.sources.torch.call import Call, Step
from convcost.sources.torch.lowering.table import lowers


@lowers(
    "aten.scaled_dot_product_attention",
    "aten._scaled_dot_product_flash_attention",
    "aten._scaled_dot_product_flash_attention_for_cpu",
    "aten._scaled_dot_product_efficient_attention",
    "aten._scaled_dot_product_cudnn_attention",
    "aten._scaled_dot_product_attention_math",
    "aten._scaled_dot_product_attention_math_for_mps",
    "aten._scaled_dot_product_fused_attention_overrideable",
)
def _attention(call: Call) -> Step:
    query, key, value = call.tensor("query"), call.tensor("key"), call.tensor("value")
    if query.shape[:-1] != call.results[0][:-1]:
        # Batch axes broadcast: the scores are as many as the result has rows.
        query = replace(query, shape=(*call.results[0][:-1], query.shape[-1]))
    mask = call.tensors("attn_mask", "attn_bias")
    return Step(Attention(causal=call.flag("is_causal")), (query, key, value, *mask))


class _Chain:
    """Steps of one fused call, each on what the last one gave."""

    def __init__(self, source: Tensor, word: str) -> None:
        self.steps: list[Step] = []
        self._name = f"{source.name}|{word}"
        self._dtype = source.dtype
        self._serial = count()

    def add(self, op: Op, *operands: Tensor, shape: Shape) -> Tensor:
        result = Tensor(name=f"{self._name}{next(self._serial)}", shape=shape, dtype=self._dtype)
        self.steps.append(Step(op, operands, (result,)))
        return result

    def finished(self) -> tuple[Step, ...]:
        """The steps, the last one giving the call's own result."""
        return (*self.steps[:-1], self.steps[-1]._replace(outputs=None))

    def linear(self, data: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        op = Linear(in_features=weight.shape[1], out_features=weight.shape[0])
        return self.add(op, data, weight, bias, shape=(*data.shape[:-1], weight.shape[0]))

    def self_attention(self, call: Call, data: Tensor, heads: int) -> Tensor:
        batch, length, width = data.shape
        packed = self.linear(data, call.tensor("qkv_weight"), call.tensor("qkv_bias"))
        split = (batch, heads, length, width // heads)
        query, key, value = (self.add(Move(action="split", shapes=(split,)), packed, shape=split) for _ in range(3))
        mixed = self.add(Attention(), query, key, value, *call.tensors("mask"), shape=split)
        joined = self.add(Move(action="reshape", shapes=(data.shape,)), mixed, shape=data.shape)
        return self.linear(joined, call.tensor("proj_weight"), call.tensor("proj_bias"))


@lowers("aten._native_multi_head_attention")
def _fused_attention(call: Call) -> tuple[Step, ...]:
    query = call.tensor("query")
    chain = _Chain(query, "attention")
    if not query.name == call.tensor("key").name == call.tensor("value").name:
        return _fused_cross_attention(call, chain)
    chain.self_attention(call, query, call.integer("num_head"))
    return chain.finished()


def _fused_cross_attention(call: Call, chain: _Chain) -> tuple[Step, ...]:
    """Query, key and value each meet a third of the packed weights."""
    heads, width = call.integer("num_head"), call.integer("embed_dim")
    weight, bias = call.tensor("qkv_weight"), call.tensor("qkv_bias")
    third, third_bias = replace(weight, shape=(width, weight.shape[1])), replace(bias, shape=(width,))
    parts = []
    for operand in (call.tensor("query"), call.tensor("key"), call.tensor("value")):
        batch, length, _ = operand.shape
        shape = (batch, heads, length, width // heads)
        projected = chain.linear(operand, third, third_bias)
        parts.append(chain.add(Move(action="reshape", shapes=(shape,)), projected, shape=shape))
    mixed = chain.add(Attention(), *parts, *call.tensors("mask"), shape=parts[0].shape)
    joined = chain.add(Move(action="reshape", shapes=(call.results[0],)), mixed, shape=call.results[0])
    chain.linear(joined, call.tensor("proj_weight"), call.tensor("proj_bias"))
    return chain.finished()


@lowers("aten._transformer_encoder_layer_fwd")
def _fused_encoder_layer(call: Call) -> tuple[Step, ...]:
    """Attention and feed-forward, each with its residual sum and its norm before or after."""
    data = call.tensor("src")
    chain = _Chain(data, "encoder")
    first = (call.tensor("norm_weight_1"), call.tensor("norm_bias_1"))
    second = (call.tensor("norm_weight_2"), call.tensor("norm_bias_2"))
    before = call.flag("norm_first")

    entering = _norm(chain, data, first) if before else data
    attended = chain.self_attention(call, entering, call.integer("num_heads"))
    summed = chain.add(Elementwise(function="add"), data, attended, shape=data.shape)
    middle = summed if before else _norm(chain, summed, first)
    entering = _norm(chain, middle, second) if before else middle
    hidden = chain.linear(entering, call.tensor("ffn_weight_1"), call.tensor("ffn_bias_1"))
    function = "gelu" if call.flag("use_gelu") else "relu"
    active = chain.add(Activation(function=function), hidden, shape=hidden.shape)
    fed = chain.linear(active, call.tensor("ffn_weight_2"), call.tensor("ffn_bias_2"))
    result = chain.add(Elementwise(function="add"), middle, fed, shape=data.shape)
    if not before:
        _norm(chain, result, second)
    return chain.finished()


def _norm(chain: _Chain, data: Tensor, affine: tuple[Tensor, Tensor]) -> Tensor:
    return chain.add(Normalize(method="layer"), data, *affine, shape=data.shape)
