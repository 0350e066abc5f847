"""Quantized layers, whose weights lie in boxes: the float layer's products, one-byte weights."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

from convcost.analysis import analyze_graph
from convcost.graph import DType
from convcost.graph.ops import Activation, Elementwise, Normalize
from convcost.sources.torch import graph_of
from convcost.sources.torch.lowering import LOWERINGS
from tests.sources.torch.networks import Calls

quantization = torch.ao.quantization


def converted(*layers):
    """The layers between a stub that quantizes and one that takes it back, calibrated on nothing much."""
    module = nn.Sequential(quantization.QuantStub(), *layers, quantization.DeQuantStub()).eval()
    module.qconfig = quantization.QConfig(
        activation=quantization.default_observer, weight=quantization.default_weight_observer
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return quantization.convert(quantization.prepare(module))


def dynamic(layer):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return quantization.quantize_dynamic(nn.Sequential(layer), {type(layer)}, dtype=torch.qint8)[0]


def analyze(module, *inputs):
    analysis = analyze_graph(graph_of(module, inputs))
    assert not analysis.unknown
    return analysis


STATIC = [
    (nn.Conv1d(4, 6, 3, padding=1, stride=2), (2, 4, 10)),
    (nn.Conv2d(4, 8, (3, 5), padding=(2, 0), groups=2, bias=False), (1, 4, 9, 8)),
    (nn.Conv3d(2, 4, 3, dilation=2), (1, 2, 8, 8, 8)),
    (nn.ConvTranspose1d(4, 6, 4, stride=2), (1, 4, 10)),
    (nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1, output_padding=1, groups=4), (1, 8, 5, 5)),
    (nn.Linear(4, 8), (2, 3, 4)),
]


@pytest.mark.parametrize(("layer", "shape"), STATIC, ids=lambda value: type(value).__name__)
def test_a_statically_quantized_layer_costs_what_the_float_one_does(layer, shape):
    plain, packed = analyze(layer, shape).totals, analyze(converted(layer), torch.zeros(shape))
    assert (packed.totals.macs, packed.totals.params) == (plain.macs, plain.params)
    (product,) = (each for each in packed.layers if each.cost.macs)
    assert product.node.operands[1].dtype is DType.INT8
    assert product.node.op.output_shapes(tuple(operand.shape for operand in product.node.operands)) == (
        product.node.outputs[0].shape,
    )


DYNAMIC = [
    (nn.LSTM(4, 6, 2, bidirectional=True), (5, 2, 4)),
    (nn.GRU(4, 6, batch_first=True), (2, 5, 4)),
    (nn.LSTMCell(4, 6), (2, 4)),
    (nn.GRUCell(4, 6), (2, 4)),
    (nn.RNNCell(4, 6), (2, 4)),
    (nn.Linear(4, 6), (2, 4)),
]


@pytest.mark.parametrize(("layer", "shape"), DYNAMIC, ids=lambda value: type(value).__name__)
def test_a_dynamically_quantized_layer_costs_what_the_float_one_does(layer, shape):
    plain, packed = analyze(layer, shape).totals, analyze(dynamic(layer), torch.zeros(shape)).totals
    assert (packed.macs, packed.params) == (plain.macs, plain.params)
    assert packed.weight_bytes < plain.weight_bytes


def test_what_stands_between_quantized_products_is_other_ops():
    def rectified(self, x):
        return self.sum.add_relu(self.norm(x), self.act(x))

    inner = Calls(rectified, sum=nn.quantized.FloatFunctional(), norm=nn.BatchNorm2d(4), act=nn.Hardswish())
    analysis = analyze(converted(inner), torch.zeros(1, 4, 8, 8))
    assert analysis.totals.macs == 0
    assert {Normalize, Activation, Elementwise} <= {type(layer.node.op) for layer in analysis.layers}


def packed_table(bits):
    dtype = {8: torch.quint8, 4: torch.quint4x2}[bits]
    rows = torch.quantize_per_channel(torch.rand(10, 8), torch.ones(10), torch.zeros(10), 0, dtype)
    return torch.ops.quantized.embedding_bag_prepack(rows)


@pytest.mark.parametrize("bits", [8, 4])
def test_a_quantized_look_up_reads_narrow_rows_and_makes_them_floats(bits):
    box = packed_table(bits)
    look_up = {8: torch.ops.quantized.embedding_byte, 4: torch.ops.quantized.embedding_4bit}[bits]
    analysis = analyze(Calls(lambda self, x: look_up(box, x)), torch.tensor([1, 2, 3]))
    gather, dequantize = analysis.layers
    assert analysis.totals.params == 10 * 8
    assert analysis.totals.weight_bytes == 10 * 8 * bits // 8
    assert gather.node.outputs[0].nbytes == 3 * 8 * bits // 8
    assert dequantize.cost.other_ops == 3 * 8
    assert dequantize.node.outputs[0].dtype is DType.FLOAT32


def test_a_quantized_bag_adds_up_what_it_looked_up():
    box = packed_table(8)
    bag = lambda self, x: torch.ops.quantized.embedding_bag_byte(box, x, torch.tensor([0, 2]))  # noqa: E731
    analysis = analyze(Calls(bag), torch.tensor([1, 2, 3]))
    assert analysis.totals.other_ops == 2 * 3 * 8


def test_what_lies_in_the_box_of_an_operator_that_is_not_counted_is_stored_all_the_same(monkeypatch):
    box = packed_table(8)
    monkeypatch.delitem(LOWERINGS, "quantized.embedding_byte")
    look_up = Calls(lambda self, x: torch.ops.quantized.embedding_byte(box, x))
    analysis = analyze_graph(graph_of(look_up, (torch.tensor([1, 2, 3]),)))
    assert analysis.unknown
    assert analysis.totals.params == 10 * 8
