"""Reductions, orderings and losses."""

from __future__ import annotations

from convcost.graph.ops import Op, Reduce, Softmax
from convcost.sources.onnx.lowering.call import Call, Lowered
from convcost.sources.onnx.lowering.registry import lowers

_REDUCTIONS: dict[str, str] = {
    "ReduceL1": "l1",
    "ReduceL2": "l2",
    "ReduceLogSum": "logsum",
    "ReduceLogSumExp": "logsumexp",
    "ReduceMax": "max",
    "ReduceMean": "mean",
    "ReduceMin": "min",
    "ReduceProd": "prod",
    "ReduceSum": "sum",
    "ReduceSumSquare": "sumsquare",
}

_SCANS: dict[str, str] = {"Col2Im": "col2im", "NegativeLogLikelihoodLoss": "nll_loss", "TopK": "topk"}


@lowers(*_REDUCTIONS)
def lower_reduction(call: Call) -> Lowered:
    data = call.operand(0)
    axes = call.attributes.integers("axes") or ()
    if call.argument(1) is not None:
        known = call.integers(1)
        if known is None:
            call.result()  # every element is looked at whichever the axes are; only the shape hangs on them
        axes = known or ()
    if not axes and call.attributes.integer("noop_with_empty_axes", 0):
        # Reducing over no axis still squares or takes logarithms, once per element.
        return Lowered(op=Reduce(function=_REDUCTIONS[call.operator], axes=(), keepdims=True), operands=(data,))
    keepdims = bool(call.attributes.integer("keepdims", 1))
    return Lowered(op=Reduce(function=_REDUCTIONS[call.operator], axes=axes, keepdims=keepdims), operands=(data,))


@lowers("ArgMax", "ArgMin")
def lower_arg(call: Call) -> Op:
    return Reduce(
        function=call.operator.lower(),
        axes=(call.attributes.integer("axis", 0),),
        keepdims=bool(call.attributes.integer("keepdims", 1)),
    )


@lowers(*_SCANS)
def lower_scan(call: Call) -> Lowered:
    """Looks at every input element once and gives a result of a size of its own."""
    call.result()
    return Lowered(op=Reduce(function=_SCANS[call.operator]), operands=(call.operand(0),))


@lowers("SoftmaxCrossEntropyLoss")
def lower_cross_entropy(call: Call) -> Lowered:
    call.result()
    logits = call.step(Softmax(), call.operand(0))
    return Lowered(op=Reduce(function="nll_loss"), operands=(logits, *call.operands[1:]))
