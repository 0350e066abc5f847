"""Operators that torch's own tags do not tell, or that whole model families need."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F  # noqa: N812  # the name everyone reads it by

from convcost.analysis import analyze_graph
from convcost.graph import DType
from convcost.graph.ops import Elementwise, Fourier, Linear, Move
from convcost.sources.torch import graph_of
from tests.sources.torch.networks import Calls


def layers(call, *inputs, **members):
    analysis = analyze_graph(graph_of(Calls(call, **members), inputs))
    assert not analysis.unknown
    return analysis.layers


def only(call, *inputs):
    (layer,) = layers(call, *inputs)
    return layer


def test_a_division_with_a_floor_is_elementwise():
    layer = only(lambda self, x: torch.floor_divide(x, 2), (3, 4))
    assert isinstance(layer.node.op, Elementwise)
    assert layer.cost.other_ops == 12


def test_a_mask_filled_with_a_tensor_is_elementwise():
    layer = layers(lambda self, x, value: x.masked_fill(x > 0, value), (3, 4), torch.tensor(2.0))[-1]
    assert isinstance(layer.node.op, Elementwise)
    assert layer.cost.other_ops == 12


@pytest.mark.parametrize("rows", [5, 30])
def test_distances_cost_the_same_by_whatever_kernel(rows):
    """Above 25 rows torch spells them as a matrix product unless told not to."""
    layer = only(lambda self, a, b: torch.cdist(a, b), (2, rows, 8), (2, 7, 8))
    assert (layer.cost.macs, layer.cost.other_ops) == (0, 2 * rows * 7 * 3 * 8)


def test_groups_of_rows_groups_of_columns_and_groups_of_both():
    ends = torch.tensor([3, 16], dtype=torch.int32)

    def grouped(self, left, right):
        return torch._grouped_mm(left.bfloat16(), right.bfloat16(), ends)

    assert layers(grouped, (16, 8), (2, 8, 24))[-1].cost.macs == 16 * 8 * 24
    assert layers(grouped, (2, 24, 8), (8, 16))[-1].cost.macs == 24 * 8 * 16
    assert layers(grouped, (8, 16), (16, 24))[-1].cost.macs == 8 * 16 * 24


def test_a_time_first_convolution_keeps_the_shapes_of_its_data():
    turn, conv, back = layers(lambda self, x, w, b: torch.conv_tbc(x, w, b, 1), (10, 2, 4), (3, 4, 6), (6,))
    assert turn.node.op.is_view
    assert conv.node.outputs[0].shape == (2, 6, 10)
    assert back.node.outputs[0].shape == (10, 2, 6)
    assert back.node.operands == conv.node.outputs
    assert not back.node.op.is_view
    assert (conv.cost.macs, conv.cost.other_ops) == (10 * 2 * 6 * 4 * 3, 10 * 2 * 6)


def test_a_spectrum_has_the_shape_torch_gives_it():
    first, *_, last = layers(lambda self, x: torch.fft.irfft2(torch.fft.rfft2(x), s=(8, 9)), (2, 8, 9))
    for layer in (first, last):
        assert isinstance(layer.node.op, Fourier)
        assert layer.node.op.output_shapes((layer.node.operands[0].shape,)) == (layer.node.outputs[0].shape,)
    assert first.node.outputs[0].dtype is DType.COMPLEX64


def test_unpooling_moves_data():
    pooled = layers(lambda self, x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2), (1, 4, 8, 8))
    assert isinstance(pooled[-1].node.op, Move)


def test_a_product_by_packed_four_bit_weights_is_linear():
    weight = torch.ops.aten._convert_weight_to_int4pack_for_cpu(torch.zeros(32, 64, dtype=torch.int32), 1)
    call = lambda self, x, scales: torch.ops.aten._weight_int4pack_mm_for_cpu(x, weight, 32, scales)  # noqa: E731
    (layer,) = layers(call, torch.zeros(4, 64, dtype=torch.bfloat16), torch.zeros(2, 32, 2, dtype=torch.bfloat16))
    assert layer.node.op == Linear(in_features=64, out_features=32)
    assert layer.cost.macs == 4 * 64 * 32
