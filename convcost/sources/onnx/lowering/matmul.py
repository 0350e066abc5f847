"""Matrix products: a linear layer where one side is a stored matrix, a product of activations elsewhere."""

from __future__ import annotations

from convcost.graph import Tensor
from convcost.graph.ops import Einsum, Elementwise, Linear, MatMul, Op
from convcost.sources.onnx.lowering.call import Call, Lowered, NotCountedError
from convcost.sources.onnx.lowering.registry import lowers


@lowers("MatMul", "MatMulInteger")
def lower_matmul(call: Call) -> Lowered:
    return product(call.operand(0), call.operand(1))


def product(data: Tensor, other: Tensor) -> Lowered:
    """The matrix product of two tensors, a `Linear` where the second is a stored matrix."""
    if other.weight is not None and len(other.shape) == 2 and data.weight is None and data.shape:
        op: Op = Linear(in_features=other.shape[0], out_features=other.shape[1])
    else:
        op = MatMul()
    return Lowered(op=op, operands=(data, other))


@lowers("Gemm")
def lower_gemm(call: Call) -> Lowered:
    return scaled_product(call, call.operand(0), call.operand(1), call.argument(2))


def scaled_product(call: Call, a: Tensor, b: Tensor, c: Tensor | None) -> Lowered:
    """`alpha * a' * b' + beta * c`, primes for the node's transpositions; scaling by 1 is no work."""
    if len(a.shape) != 2 or len(b.shape) != 2:
        raise NotCountedError(f"operands of shapes {list(a.shape)} and {list(b.shape)} are no matrices")
    transpose_a = bool(call.attributes.integer("transA", 0))
    transpose_b = bool(call.attributes.integer("transB", 0))
    alpha, beta = call.attributes.number("alpha", 1.0), call.attributes.number("beta", 1.0)
    if b.weight is not None and a.weight is None and not transpose_a:
        rows, columns = b.shape[::-1] if transpose_b else b.shape
        op: Op = Linear(in_features=rows, out_features=columns)
    else:
        op = MatMul(transpose_a=transpose_a, transpose_b=transpose_b)
    if c is not None and beta == 0:
        c = None
    if c is not None and beta != 1:
        c = call.step(Elementwise(function="mul"), c)
    if alpha == 1:
        return Lowered(op=op, operands=(a, b) if c is None else (a, b, c))
    multiplied = call.step(op, a, b)
    if c is None:
        return Lowered(op=Elementwise(function="mul"), operands=(multiplied,))
    scaled = call.step(Elementwise(function="mul"), multiplied)
    return Lowered(op=Elementwise(function="add"), operands=(scaled, c))


@lowers("Einsum")
def lower_einsum(call: Call) -> Op:
    return Einsum(equation=call.attributes.text("equation", ""))
