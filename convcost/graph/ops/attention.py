"""Scaled dot-product attention."""

from __future__ import annotations

import math
from typing import ClassVar

from convcost.dataclasses import dataclass
from convcost.errors import ShapeError
from convcost.graph.ops.base import Arithmetic, Op, Shapes
from convcost.graph.ops.normalize import Softmax
from convcost.graph.tensor import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention(Op):
    """`softmax(q·kᵀ)·v` for q `(*, H, L, E)`, k `(*, H_kv, S, E)`, v `(*, H_kv, S, E_v)`, and any mask.

    The dense products count, whatever is masked; with fewer key/value heads each serves several query heads.
    """

    causal: bool = False

    family: ClassVar[str] = "attention"
    formula: ClassVar[str] = (
        "batch * query_heads * L * S * (E + E_v); other ops per score: 1 scale, 1 per mask, softmax"
    )
    reference: ClassVar[str] = "Vaswani et al. 2017, eq. 1; docs/conventions.md: dense, by query heads"

    def output_shapes(self, operands: Shapes) -> Shapes:
        query, key, value = operands[:3]
        if min(map(len, (query, key, value))) < 2 or query[-1] != key[-1] or key[-2] != value[-2]:
            raise ShapeError(f"attention operands do not fit: q {query}, k {key}, v {value}")
        return ((*query[:-1], value[-1]),)

    def arithmetic(self, operands: Shapes, outputs: Shapes) -> Arithmetic:
        query, key, value = operands[:3]
        scores = math.prod(query[:-1]) * key[-2]
        per_score = 1 + (len(operands) - 3) + Softmax.OPS_PER_ELEMENT
        return Arithmetic(scores * (query[-1] + value[-1]), scores * per_score)

    def gradient_macs(self, operands: Shapes, outputs: Shapes, needed: tuple[bool, ...]) -> int:
        """Two gradients for each of the two products: of scores by q and k, of the output by p and v."""
        query, key, value = operands[:3]
        by_query, by_key, by_value = needed[:3]
        pairs = math.prod(query[:-1]) * key[-2]
        scores, mixed = pairs * query[-1], pairs * value[-1]
        return scores * (by_query + by_key) + mixed * (by_value + (by_query or by_key))

    def masked_macs(self, operands: tuple[Tensor, ...]) -> int | None:
        return self.causal_macs(tuple(tensor.shape for tensor in operands)) if self.causal else None

    def causal_macs(self, operands: Shapes) -> int:
        """MACs of the products a causal mask leaves: query i sees the first i + 1 keys."""
        query, key, value = operands[:3]
        length, keys = query[-2], key[-2]
        seen = min(length, keys)
        kept = seen * (seen + 1) // 2 + (length - seen) * keys
        return math.prod(query[:-2]) * kept * (query[-1] + value[-1])
