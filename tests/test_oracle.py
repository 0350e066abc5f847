"""The oracle computes what torch computes, so that what it counts is the right work."""

from __future__ import annotations

import pytest
import torch

from tests.oracle import Array, Multiplier, attention, convolve, einsum, matmul, scatter


def tensor(array: Array) -> torch.Tensor:
    return torch.tensor(array.tolist(), dtype=torch.float64).reshape(array.shape)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 1)])
def test_convolve_computes_a_strided_asymmetrically_padded_convolution(groups: int, dilation: tuple[int, int]) -> None:
    data, weight = Array.counting(2, 4, 6, 5), Array.counting(6, 4 // groups, 3, 2)
    pads = ((2, 1), (0, 3))
    ours = convolve(data, weight, stride=(2, 1), pads=pads, dilation=dilation, groups=groups, times=Multiplier())
    padded = torch.nn.functional.pad(tensor(data), (0, 3, 2, 1))
    theirs = torch.nn.functional.conv2d(padded, tensor(weight), stride=(2, 1), dilation=dilation, groups=groups)
    assert torch.equal(tensor(ours), theirs)


@pytest.mark.parametrize("groups", [1, 2])
def test_scatter_computes_a_transposed_convolution(groups: int) -> None:
    data, weight = Array.counting(2, 4, 3, 4), Array.counting(4, 6 // groups, 3, 2)
    ours = scatter(
        data,
        weight,
        stride=(2, 3),
        pads=((1, 1), (2, 2)),
        dilation=(1, 2),
        output_padding=(1, 0),
        groups=groups,
        times=Multiplier(),
    )
    theirs = torch.nn.functional.conv_transpose2d(
        tensor(data),
        tensor(weight),
        stride=(2, 3),
        padding=(1, 2),
        output_padding=(1, 0),
        dilation=(1, 2),
        groups=groups,
    )
    assert torch.equal(tensor(ours), theirs)


def test_matmul_computes_a_broadcast_product() -> None:
    a, b = Array.counting(2, 1, 3, 4), Array.counting(5, 4, 2)
    assert torch.equal(tensor(matmul(a, b, Multiplier())), tensor(a) @ tensor(b))


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("bhid,bhjd->bhij", [(2, 2, 3, 4), (2, 2, 5, 4)]),
        ("ijk,kl->il", [(2, 3, 4), (4, 5)]),
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
        ("iij,jk->ik", [(3, 3, 2), (2, 4)]),
        ("i,j->ij", [(3,), (4,)]),
        ("ij->ji", [(3, 4)]),
        ("ii->", [(4, 4)]),
    ],
)
def test_einsum_computes_the_sum(equation: str, shapes: list[tuple[int, ...]]) -> None:
    arrays = [Array.counting(*shape) for shape in shapes]
    terms, _, result = equation.partition("->")
    ours = einsum(terms.split(","), result, arrays, Multiplier())
    assert torch.equal(tensor(ours), torch.einsum(equation, *map(tensor, arrays)))


def test_attention_computes_products_with_shared_key_heads() -> None:
    query, key, value = Array.counting(1, 4, 3, 2), Array.counting(1, 2, 5, 2), Array.counting(1, 2, 5, 3)
    scores = tensor(query) @ tensor(key).repeat_interleave(2, 1).transpose(-1, -2)
    theirs = scores @ tensor(value).repeat_interleave(2, 1)
    assert torch.equal(tensor(attention(query, key, value, Multiplier())), theirs)
