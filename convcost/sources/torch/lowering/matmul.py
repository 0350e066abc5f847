"""Matrix products, linear layers and Einstein sums."""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from convcost.graph import Tensor
from convcost.graph.ops import Activation, Einsum, Elementwise, Linear, MatMul, Move, Op, Unknown
from convcost.sources.torch.call import Call, Step
from convcost.sources.torch.lowering.table import lowers

_Further = tuple[Op, tuple[Tensor, ...]]
"""An op, and its operands after the first, which is the result of the op before."""


@lowers("aten.linear")
def _linear(call: Call) -> Step:
    data, weight = call.tensor("input"), call.tensor("weight")
    if len(weight.shape) != 2:
        # A 1-D weight is a dot product with every row; torch drops the output axis.
        return Step(MatMul(), (data, weight, *call.tensors("bias")))
    op = Linear(in_features=weight.shape[1], out_features=weight.shape[0])
    return Step(op, (data, weight, *call.tensors("bias")))


@lowers("aten.matmul", "aten.mm", "aten.bmm", "aten.mv", "aten.dot", "aten.vdot", "aten.linalg_matmul", "aten._int_mm")
def _matmul(call: Call) -> Step:
    left, right = call.operands[:2]
    return _sparse_product(call) if _has_sparse_factor(call) else _product(left, right)


def _has_sparse_factor(call: Call) -> bool:
    factors = (call.argument(name) for name in ("self", "mat2", "other", "vec"))
    return any(isinstance(factor, torch.Tensor) and factor.layout is not torch.strided for factor in factors)


@lowers("aten._sparse_mm", "aten._sparse_addmm", "aten.sparse_sampled_addmm", "aten.smm", "aten.sspaddmm")
def _sparse_product(call: Call) -> Step:
    """Never the dense count, which nothing would execute."""
    reason = "how many products a sparse factor takes depends on its values"
    return Step(Unknown(operator=call.signature.name, reason=reason, shapes=call.results), call.operands)


@lowers("aten.inner")
def _inner(call: Call) -> Step:
    left, right = call.operands[:2]
    if not left.shape or not right.shape:
        return Step(Elementwise(function="mul"), (left, right))
    if len(left.shape) == len(right.shape) == 1:
        return Step(MatMul(), (left, right))
    rows = "abcdefghijkl"[: len(left.shape) - 1]
    columns = "mnopqrstuvwx"[: len(right.shape) - 1]
    return Step(Einsum(equation=f"{rows}z,{columns}z->{rows}{columns}"), (left, right))


@lowers("aten.addmm", "aten.addmv", "aten.baddbmm")
def _added_product(call: Call) -> tuple[Step, ...]:
    return _scaled_sum(call, _product(*call.operands[1:3]))


@lowers("aten._addmm_activation")
def _activated_product(call: Call) -> tuple[Step, ...]:
    activation = Activation(function="gelu" if call.flag("use_gelu") else "relu")
    return _scaled_sum(call, _product(*call.operands[1:3]), (activation, ()))


@lowers("aten.addbmm")
def _addbmm(call: Call) -> tuple[Step, ...]:
    """The batch axis is contracted too."""
    return _scaled_sum(call, Step(Einsum(equation="bik,bkj->ij"), call.operands[1:3]))


def _scaled_sum(call: Call, product: Step, *after: _Further) -> tuple[Step, ...]:
    """`beta * added + alpha * product`: scaling by 1 is no work, and with beta 0 torch never reads what is added."""
    scaling = Elementwise(function="mul")
    alpha, beta = call.argument("alpha"), call.argument("beta")
    before: tuple[Step, ...] = ()
    added = () if beta == 0 else call.operands[:1]
    if added and beta != 1:
        scaled = replace(added[0], name="beta * added", weight=None, alias="")
        before = (Step(scaling, added, (scaled,)),)
        added = (scaled,)
    if alpha == 1 and not isinstance(product.op, Einsum):
        product, added = product._replace(operands=(*product.operands, *added)), ()
    scaled_by_alpha: tuple[_Further, ...] = ((scaling, ()),) if alpha != 1 else ()
    added_after: tuple[_Further, ...] = ((Elementwise(function="add"), added),) if added else ()
    return (*before, *_chained(call, product, *scaled_by_alpha, *added_after, *after))


def _chained(call: Call, first: Step, *further: _Further) -> tuple[Step, ...]:
    """Each further op on the result of the one before it, all of the call's own shape."""
    steps = [first]
    for op, others in further:
        value = Tensor(name=f"{call.signature.name} {len(steps)}", shape=call.results[0], dtype=call.operands[0].dtype)
        steps[-1] = steps[-1]._replace(outputs=(value,))
        steps.append(Step(op, (value, *others)))
    return tuple(steps)


@lowers("aten._grouped_mm", "aten._scaled_grouped_mm")
def _grouped_mm(call: Call) -> Step:
    """Rows (or columns) in groups, each by a matrix of its own: every row still meets one matrix."""
    left, right = call.tensor("self"), call.tensor("mat2")
    if len(left.shape) == len(right.shape) == 3:
        return Step(MatMul(), (left, right))
    if len(left.shape) == len(right.shape) == 2:
        # The inner axis is cut into groups: their products are as many as the whole one's.
        return Step(Einsum(equation="mk,kn->mn"), (left, right))
    op = Linear(in_features=left.shape[-1], out_features=right.shape[-1])
    return Step(op, (left, right, *call.tensors("bias")))


@lowers("aten.addr")
def _addr(call: Call) -> Step:
    """An outer product sums nothing away: one multiply and one addition for every element."""
    return Step(Elementwise(function="addr", operations=2), call.operands)


@lowers("aten._cdist_forward", "aten._pdist_forward", "aten._euclidean_dist")
def _distances(call: Call) -> Step:
    """Difference, power and sum for every pair of rows and every coordinate."""
    coordinates = call.operands[0].shape[-1]
    return Step(Elementwise(function=call.signature.word, operations=3 * coordinates), call.operands)


@lowers("aten._scaled_mm")
def _scaled_mm(call: Call) -> Step:
    return _product(call.tensor("self"), call.tensor("mat2"), *call.tensors("bias"))


@lowers("aten._weight_int4pack_mm", "aten._weight_int4pack_mm_for_cpu")
def _packed_int4(call: Call) -> Step:
    """The packed matrix no longer has the layer's shape; data and result have."""
    data = call.operands[0]
    return Step(Linear(in_features=data.shape[-1], out_features=call.results[0][-1]), call.operands[:2])


@lowers("aten._weight_int8pack_mm")
def _packed_int8(call: Call) -> Step:
    data, weight, scales = call.operands[:3]
    return Step(Linear(in_features=weight.shape[1], out_features=weight.shape[0]), (data, weight, scales))


@lowers("aten.einsum")
def _einsum(call: Call) -> Step:
    return Step(Einsum(equation=call.text("equation").replace(" ", "")), call.tensors("tensors"))


@lowers("aten.bilinear")
def _bilinear(call: Call) -> tuple[Step, ...]:
    """`x1ᵀ·W·x2` for every output: the order in which torch contracts it, left to right."""
    left, right, weight = call.tensor("input1"), call.tensor("input2"), call.tensor("weight")
    product = Step(Einsum(equation="...i,oij,...j->...o"), (left, weight, right))
    bias = call.tensors("bias")
    return _chained(call, product, *([(Elementwise(function="add"), bias)] if bias else []))


@lowers("aten._trilinear")
def _trilinear(call: Call) -> Step:
    """What a bilinear layer becomes: three operands, each absent from its `expand` axes, summed over `sumdim`."""
    factors = call.tensors("i1", "i2", "i3")
    absent = [call.integers(f"expand{position}") for position in (1, 2, 3)]
    axes = range(len(factors[0].shape) + len(absent[0]))
    terms = ["".join("abcdefgh"[axis] for axis in axes if axis not in gone) for gone in absent]
    kept = "".join("abcdefgh"[axis] for axis in axes if axis not in call.integers("sumdim"))
    return Step(Einsum(equation=f"{','.join(terms)}->{kept}"), factors)


@lowers("aten.affine_grid_generator")
def _affine_grid(call: Call) -> tuple[Step, ...]:
    """Homogeneous coordinates of every output position times each image's matrix."""
    theta = call.tensor("theta")
    positions = math.prod(call.integers("size")[2:])
    shape = (positions, theta.shape[-1])
    grid = Tensor(name=f"{theta.name}|grid", shape=shape, dtype=theta.dtype)
    return (
        Step(Move(action="grid", shapes=(shape,)), (), (grid,)),
        Step(MatMul(transpose_b=True), (grid, theta)),
    )


def _product(left: Tensor, right: Tensor, *added: Tensor) -> Step:
    """A product with a stored matrix, plain or turned, is a linear layer; with a computed one, a matmul."""
    if right.weight is not None and len(right.shape) == 2 and len(left.shape) >= 2:
        return Step(Linear(in_features=right.shape[0], out_features=right.shape[1]), (left, right, *added))
    return Step(MatMul(), (left, right, *added))
