"""The weights of an alternative's stages: the best approximation of a kernel that its ranks allow."""

from __future__ import annotations

from convcost.alternatives import (
    Alternative,
    AnyConv,
    Bottleneck,
    ChannelLowRank,
    DepthwiseSeparable,
    Grouped,
    Gsvd,
    NotApplicable,
    SpatialFactorized,
    SpatialSeparable,
    Tucker2,
    convolution,
)
from convcost.graph import Node
from convcost.weights import factors
from convcost.weights.factors import Stages
from convcost.weights.layout import Kernel, from_stored, to_stored
from convcost.weights.read import FloatArray


def decompose(layer: Node, alternative: Alternative, stored: FloatArray) -> tuple[FloatArray, ...] | NotApplicable:
    """The weight of each convolution that the alternative puts in place of `layer`, in order and as stored.

    `stored` is the layer's own weight. At full rank the stages compute what the layer does; below it, the
    Frobenius norm of what they miss is the root of the dropped squared singular values (for Tucker's, of the
    dropped part of the core). Ranks beyond full are filled with zeros.
    """
    conv = convolution(layer)
    if conv is None:
        return NotApplicable(reason="not a convolution")
    rewritten = alternative.rewrite(layer, conv)
    if isinstance(rewritten, NotApplicable):
        return rewritten
    stages = _stages(alternative, conv, from_stored(conv, stored))
    if stages is None:
        return NotApplicable(reason=f"convcost does not derive weights for {alternative.name}")
    ops = [op for node in rewritten if (op := convolution(node)) is not None]
    return tuple(to_stored(op, kernel) for op, kernel in zip(ops, stages, strict=True))


def _stages(alternative: Alternative, conv: AnyConv, kernel: Kernel) -> Stages | None:
    """None where the best weights have no closed form (cp, stacked) or take the layer's order from it (a shuffle)."""
    stages: Stages | None = None
    match alternative:
        case SpatialSeparable():
            stages = factors.each_kernel(kernel)
        case SpatialFactorized(order=order):
            split = factors.column_then_row if order == "vh" else factors.row_then_column
            stages = split(kernel, alternative.channels_between(conv) // conv.groups)
        case DepthwiseSeparable(multiplier=terms, order=order):
            sum_of = factors.depthwise_then_pointwise if order == "dw_pw" else factors.pointwise_then_depthwise
            stages = sum_of(kernel, terms)
        case ChannelLowRank(order=order):
            cut = factors.grouped_then_pointwise if order == "conv_pw" else factors.pointwise_then_grouped
            stages = cut(kernel, conv.groups, alternative.channels_between(conv) // conv.groups)
        case Gsvd(groups=groups, order=order):
            cut = factors.grouped_then_pointwise if order == "conv_pw" else factors.pointwise_then_grouped
            stages = cut(kernel, groups, alternative.rank_per_group(conv))
        case Tucker2():
            rank_in, rank_out = alternative.channels_between(conv)
            stages = factors.core_between(kernel, rank_in // conv.groups, rank_out // conv.groups)
        case Bottleneck():
            rank = alternative.channels_between(conv) // conv.groups
            stages = factors.core_between(kernel, rank, rank)
        case Grouped(groups=int(groups), shuffle=False):
            stages = (factors.block_diagonal(kernel, groups),)
    return stages
