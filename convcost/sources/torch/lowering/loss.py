"""Losses: arithmetic on every element, then the mean or sum of it."""

from __future__ import annotations

from convcost.graph import Tensor
from convcost.graph.ops import Elementwise, Reduce, broadcast
from convcost.sources.torch.call import Call, Step
from convcost.sources.torch.lowering.table import lowers

_REDUCTIONS = {1: "mean", 2: "sum"}

# How many operations make one element, d being the difference of prediction x and target t.
_OPERATIONS = {
    "mse_loss": 2,  # d, d²
    "smooth_l1_loss": 6,  # d, |d|, which side of beta, then at most d²·0.5/beta
    "huber_loss": 5,  # d, |d|, which side of delta, then two for either form
    "soft_margin_loss": 4,  # log1p(exp(-t·x))
    "binary_cross_entropy": 9,  # (t-1)·max(log(1-x), -100) - t·max(log x, -100)
    "binary_cross_entropy_with_logits": 4,  # (1-t)·x - logsigmoid(x)
    "multi_margin_loss": 3,  # max(0, margin - x[t] + x)
}


@lowers(*(f"aten.{word}" for word in _OPERATIONS))
def _loss(call: Call) -> tuple[Step, ...]:
    """A weight of every element is one operation more; one of the positive class, three; a second power, one."""
    word = call.signature.word
    operations = _OPERATIONS[word] + len(call.tensors("weight")) + 3 * len(call.tensors("pos_weight"))
    op = Elementwise(function=word, operations=operations + (call.argument("p") == 2))
    reduction = _REDUCTIONS.get(call.integer("reduction"))
    by_class = word == "multi_margin_loss"  # every row's classes are added up, whatever becomes of the rows
    if reduction is None and not by_class:
        return (Step(op, call.operands),)
    data, target = call.operands[:2]
    shape = data.shape if by_class else broadcast([data.shape, target.shape])
    each = Tensor(name=f"{call.signature.name} of each", shape=shape, dtype=data.dtype)
    last = Reduce(function=reduction or "mean", axes=() if reduction else (-1,))
    return (Step(op, call.operands, (each,)), Step(last, (each,)))


@lowers("aten.nll_loss", "aten.nll_loss_forward", "aten.nll_loss2d", "aten.nll_loss2d_forward")
def _negative_log_likelihood(call: Call) -> Step:
    """Of every row one value, so at most one operation for each of the predictions."""
    return Step(Reduce(function="nll_loss"), call.operands)
