"""Reductions, orderings, and sums into places."""

from __future__ import annotations

from convcost.graph.ops import Elementwise, Gather, Reduce
from convcost.graph.tensor import Tensor
from convcost.sources.torch.call import Call, Step
from convcost.sources.torch.lowering.table import aten, lowers, prims

_REDUCTIONS = aten(
    "all amax amin aminmax any argmax argmin count_nonzero equal linalg_vector_norm logsumexp mean nanmean nansum "
    "nanmedian median mode norm prod std std_mean sum var var_mean trace linalg__powsum "
    "sort argsort msort topk kthvalue unique_consecutive _unique _unique2 unique_dim bincount histc"
) + prims("amax amin prod sum var xor_sum")


@lowers(*_REDUCTIONS)
def _reduce(call: Call) -> Step:
    data = call.tensors("self", "input") or call.operands
    axes = call.integers("dim") or call.integers("dims")
    keepdims = call.flag("keepdim")
    return Step(Reduce(function=call.signature.word, axes=axes, keepdims=keepdims), data[:1])


@lowers("aten.max", "aten.min")
def _extreme(call: Call) -> Step:
    """Of one tensor a reduction, of two an elementwise choice."""
    if len(call.operands) > 1:
        return Step(Elementwise(function=call.signature.word), call.operands)
    return _reduce(call)


@lowers("aten.col2im")
def _fold(call: Call) -> Step:
    """Overlapping windows laid back: every element is added once."""
    return Step(Reduce(function="fold"), call.operands)


@lowers("aten.scatter_add", "aten.scatter_reduce", "aten.index_add", "aten.index_reduce", "aten.segment_reduce")
def _scatter(call: Call) -> Step:
    """One operation for every element added to its place."""
    (added,) = call.tensors("src", "source", "data")[:1]
    others = tuple(tensor for tensor in call.operands if tensor.name != added.name)
    return Step(Reduce(function=call.signature.word), (added, *others))


@lowers("aten.embedding_bag", "aten._embedding_bag", "aten._embedding_bag_forward_only")
def _embedding_bag(call: Call) -> tuple[Step, ...]:
    """A look-up, then one addition for every element looked up."""
    table, indices = call.tensor("weight"), call.tensor("indices")
    rows = Tensor(name=f"{table.name}[{indices.name}]", shape=(*indices.shape, *table.shape[1:]), dtype=table.dtype)
    return (
        Step(Gather(), (table, indices), (rows,)),
        Step(Reduce(function="embedding_bag", axes=(0,)), (rows, *call.tensors("offsets", "per_sample_weights"))),
    )
