"""Matrix products under all their names."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  # the name everyone reads it by

from tests.conformance.case import Cases
from tests.sources.torch.networks import Calls

CASES = Cases()
MATRIX = "batch * m * k * n"


def product(name: str, call, *shapes: tuple[int, ...], says: str, macs: str, **fields) -> None:
    """A function of its inputs alone."""
    CASES.add(name, lambda: Calls(lambda self, *operands: call(*operands)), *shapes, says=says, macs=macs, **fields)


CASES.add(
    "linear_unbatched", lambda: nn.Linear(32, 16, bias=False), (32,), says="k * n", macs="32 * 16", params="32*16"
)
CASES.add(
    "linear_5d",
    lambda: nn.Linear(8, 4),
    (2, 3, 1, 5, 8),
    says="positions * k * n",
    macs="2*3*1*5 * 8 * 4",
    params="8*4 + 4",
)
product("baddbmm", torch.baddbmm, (2, 3, 5), (2, 3, 4), (2, 4, 5), says=MATRIX, macs="2 * 3 * 4 * 5")
product("addmm", torch.addmm, (5,), (3, 4), (4, 5), says="m * k * n", macs="3 * 4 * 5")
product("addbmm", torch.addbmm, (3, 5), (2, 3, 4), (2, 4, 5), says=MATRIX, macs="2 * 3 * 4 * 5")
product("addmv", torch.addmv, (3,), (3, 4), (4,), says="m * k", macs="3 * 4")
product("mv", torch.mv, (3, 4), (4,), says="m * k", macs="3 * 4")
product("dot", torch.dot, (7,), (7,), says="k", macs="7")
product(
    "addr",
    torch.addr,
    (3, 4),
    (3,),
    (4,),
    says="an outer product sums nothing (ONNX spells it as a matrix product with k = 1)",
    macs="0",
    exported_macs="3 * 1 * 4",
)
product("outer", torch.outer, (3,), (4,), says="an outer product sums nothing", macs="0")
product("kron", torch.kron, (2, 3), (4, 5), says="a Kronecker product sums nothing", macs="0")
product(
    "tensordot",
    lambda a, b: torch.tensordot(a, b, dims=([1, 2], [0, 1])),
    (2, 3, 4),
    (3, 4, 5),
    says="m * (both contracted axes) * n",
    macs="2 * (3*4) * 5",
)
product(
    "multi_dot",
    lambda a, b, c: torch.linalg.multi_dot([a, b, c]),
    (10, 2),
    (2, 30),
    (30, 3),
    says="b·c first, being the cheaper order, then a",
    macs="2*30*3 + 10*2*3",
)
product("inner", torch.inner, (2, 4), (3, 4), says="rows * columns * k", macs="2 * 3 * 4")
product(
    "matmul_both_broadcast",
    torch.matmul,
    (5, 1, 3, 4),
    (2, 4, 6),
    says=MATRIX,
    macs="(5*2) * 3 * 4 * 6",
)
product(
    "einsum_attention_scores",
    lambda q, k: torch.einsum("bqhd,bkhd->bhqk", q, k),
    (2, 5, 3, 4),
    (2, 7, 3, 4),
    says="b * h * q * k * d",
    macs="2 * 3 * 5 * 7 * 4",
)
product(
    "einsum_three_operands",
    lambda a, b, c: torch.einsum("ij,jk,kl->il", a, b, c),
    (2, 3),
    (3, 4),
    (4, 5),
    says="from the left: i * j * k, then i * k * l",
    macs="2*3*4 + 2*4*5",
)
product(
    "einsum_diagonal",
    lambda a: torch.einsum("bii->bi", a),
    (3, 4, 4),
    says="one operand is no product",
    macs="0",
)
CASES.add(
    "bilinear",
    lambda: nn.Bilinear(3, 4, 5),
    (2, 3),
    (2, 4),
    says="batch * out * (left * right, then right)",
    macs="2 * 5 * (3*4 + 4)",
    params="5*3*4 + 5",
)
product(
    "cdist",
    torch.cdist,
    (2, 5, 8),
    (2, 7, 8),
    says="differences, squares and sums are other ops",
    macs="0",
    exports=False,
)
product(
    "grouped_mm",
    lambda a, b: torch._grouped_mm(a.bfloat16(), b.bfloat16(), torch.tensor([3, 8], dtype=torch.int32)),
    (8, 16),
    (2, 16, 24),
    says="all rows, each by the matrix of its group: rows * k * n",
    macs="8 * 16 * 24",
    exports=False,
)
CASES.add(
    "embedding_bag",
    lambda: nn.EmbeddingBag(100, 32, mode="sum"),
    torch.zeros(4, 10, dtype=torch.int64),
    says="look-ups and sums are no MACs",
    macs="0",
    params="100*32",
    exports=False,
)
CASES.add(
    "one_hot_matmul",
    lambda: Calls(lambda self, i: F.one_hot(i, 9).float() @ self.table, table=nn.Parameter(torch.zeros(9, 6))),
    torch.zeros(4, dtype=torch.int64),
    says="a look-up spelled as a product is a product: rows * classes * n",
    macs="4 * 9 * 6",
    params="9*6",
)
product(
    "matrix_power",
    lambda a: torch.linalg.matrix_power(a, 5),
    (4, 4),
    says="squared twice and multiplied once: 3 * n³",
    macs="3 * 4*4*4",
    exports=False,
)
product(
    "covariance",
    torch.cov,
    (3, 20),
    says="variables * variables * observations",
    macs="3 * 3 * 20",
    exports=False,
)
product(
    "vmap_linear",
    torch.vmap(F.linear),
    (5, 2, 3),
    (5, 4, 3),
    says="one product for each model: models * m * k * n",
    macs="5 * 2 * 3 * 4",
    exports=False,
)
product(
    "vmap_conv",
    torch.vmap(F.conv2d),
    (5, 1, 3, 8, 8),
    (5, 4, 3, 3, 3),
    says="one convolution for each model: models * out positions * N * M * kernel",
    macs="5 * 6*6 * 4 * 3 * 9",
    exports=False,
)
