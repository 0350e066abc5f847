"""Operators as they arrive when torch fuses or decomposes them: the same work under every name."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  # the name everyone reads it by

from convcost.analysis import analyze_graph
from convcost.graph.ops import Activation, Attention, Conv, ConvTranspose, Elementwise, Move, Reduce, Resample
from convcost.sources.torch import graph_of
from convcost.sources.torch.lowering import LOWERINGS, lowers
from tests.sources.torch.networks import Calls


def analyze(call, *inputs, **members):
    return analyze_graph(graph_of(Calls(call, **members), inputs))


def macs(call, *inputs, **members):
    analysis = analyze(call, *inputs, **members)
    assert not analysis.unknown
    return analysis.totals.macs


def test_an_operator_is_lowered_once():
    with pytest.raises(ValueError, match=r"aten\.conv2d"):
        lowers("aten.conv2d")(lambda call: None)
    assert "aten.conv2d" in LOWERINGS


MODULES = [
    (nn.Conv1d(4, 6, 3, padding=1), (2, 4, 10)),
    (nn.Conv2d(4, 8, 3, stride=2, padding=(2, 0), groups=2), (1, 4, 9, 8)),
    (nn.Conv2d(3, 8, 4, padding="same"), (1, 3, 20, 20)),
    (nn.Conv3d(2, 4, 3, dilation=2), (1, 2, 8, 8, 8)),
    (nn.ConvTranspose1d(4, 6, 4, stride=2), (1, 4, 10)),
    (nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1, output_padding=1, groups=4), (1, 8, 5, 5)),
    (nn.ConvTranspose3d(2, 4, 2, dilation=2), (1, 2, 4, 4, 4)),
    (nn.Conv2d(3, 8, 3), (3, 9, 9)),
    (nn.Linear(4, 8), (2, 3, 4)),
    (nn.Linear(4, 8, bias=False), (4,)),
    (nn.MultiheadAttention(8, 2, batch_first=True), None),
    (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (2, 5, 8)),
    (nn.LSTM(4, 6, 2, bidirectional=True), (5, 1, 4)),
    (nn.GRU(4, 6, batch_first=True), (2, 5, 4)),
    (nn.RNN(4, 6, nonlinearity="relu"), (5, 2, 4)),
    (nn.LSTM(4, 6, proj_size=3), (5, 2, 4)),
    (nn.LSTMCell(4, 6), (2, 4)),
    (nn.GRUCell(4, 6), (2, 4)),
    (nn.RNNCell(4, 6), (2, 4)),
    (nn.Bilinear(3, 4, 5), None),
]


class Decomposed(nn.Module):
    """The inner module as torch takes it apart: the run refuses inference tensors, and so falls back to `no_grad`."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, *inputs):
        if torch.is_inference_mode_enabled():
            raise RuntimeError("Inference tensors cannot be saved for backward")
        return self.inner(*inputs)


def inputs_of(module, shape):
    match module:
        case nn.MultiheadAttention():
            return ((1, 5, 8),) * 3
        case nn.Bilinear():
            return ((2, 3), (2, 4))
        case _:
            return (shape,)


@pytest.mark.parametrize(("module", "shape"), MODULES, ids=lambda value: type(value).__name__)
def test_decomposed_operators_cost_what_whole_ones_do(module, shape):
    whole = analyze_graph(graph_of(module, inputs_of(module, shape)))
    apart = analyze_graph(graph_of(Decomposed(module), inputs_of(module, shape)))
    assert not whole.unknown
    assert not apart.unknown
    assert not apart.notes
    assert apart.totals.macs == whole.totals.macs > 0
    assert apart.totals.params == whole.totals.params == sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(("module", "shape"), MODULES, ids=lambda value: type(value).__name__)
def test_shapes_by_our_own_rules_are_torchs(module, shape):
    graph = graph_of(module, inputs_of(module, shape))
    assert_shapes_agree(graph)


def assert_shapes_agree(graph):
    for node in graph.nodes:
        ours = node.op.output_shapes(tuple(operand.shape for operand in node.operands))
        assert ours[0] == node.outputs[0].shape, node


POINTWISE_AND_POOLS = [
    nn.ReLU(), nn.GELU(), nn.Hardswish(), nn.PReLU(), nn.Softmax(1), nn.LogSoftmax(1), nn.LogSigmoid(), nn.Softplus(),
    nn.MaxPool2d(3, 2, 1, ceil_mode=True), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d((3, None)), nn.AdaptiveMaxPool2d(2),
    nn.FractionalMaxPool2d(2, output_size=3), nn.LPPool2d(2, 2), nn.BatchNorm2d(4), nn.GroupNorm(2, 4),
    nn.LayerNorm((4, 8, 8)), nn.InstanceNorm2d(4), nn.RMSNorm(8), nn.LocalResponseNorm(2), nn.Upsample(scale_factor=2),
    nn.Upsample(size=(5, 9), mode="bilinear"), nn.Upsample(scale_factor=2, mode="bicubic"), nn.PixelShuffle(2),
    nn.PixelUnshuffle(2), nn.ZeroPad2d(1), nn.ReflectionPad2d(1), nn.CircularPad2d(1), nn.Unfold(3),
    nn.ChannelShuffle(2),
    nn.GLU(1), nn.CELU(), nn.SELU(), nn.Mish(), nn.Hardsigmoid(), nn.Tanhshrink(), nn.Softsign(), nn.ReLU6(True),
    nn.Threshold(0, 1), nn.RReLU(), nn.Softmin(1), nn.CosineSimilarity(),
]  # fmt: skip


@pytest.mark.parametrize("module", POINTWISE_AND_POOLS, ids=repr)
def test_a_module_without_products_is_other_ops_and_never_unknown(module):
    shapes = ((1, 4, 8, 8),) * (2 if isinstance(module, nn.CosineSimilarity) else 1)
    analysis = analyze_graph(graph_of(nn.Sequential(module) if len(shapes) == 1 else module, shapes))
    assert not analysis.unknown
    assert analysis.totals.macs == 0
    assert analysis.totals.other_ops + analysis.totals.bytes_moved > 0


def test_the_fused_encoder_switch_hides_no_work():
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)
    # Only with real tensors would torch take the fast path at all.
    layer = Calls(lambda self, x: self.encoder(x) if x.sum() > 0 else x, encoder=encoder)
    tokens = 2 * 5
    expected = 2 * (tokens * (8 * 24 + 8 * 8 + 2 * 8 * 16) + 2 * (2 * 5 * 5 * 8))
    torch.backends.mha.set_fastpath_enabled(True)
    analysis = analyze_graph(graph_of(layer, ((2, 5, 8),)))
    assert "real tensors" in analysis.notes[0]
    assert analysis.totals.macs == expected
    assert "aten._transformer_encoder_layer_fwd" not in {layer.operator for layer in analysis.layers}
    assert {"encoder.layers.0.self_attn.in_proj", "encoder.layers.1.linear2"} <= {
        layer.name for layer in analysis.layers
    }


@pytest.mark.parametrize("norm_first", [False, True])
def test_a_fused_encoder_kernel_costs_what_its_parts_do(norm_first):
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=norm_first)
    attention = layer.self_attn

    def fused(self, x):
        return torch._transformer_encoder_layer_fwd(
            x, 8, 2, attention.in_proj_weight, attention.in_proj_bias, attention.out_proj.weight,
            attention.out_proj.bias, False, norm_first, 1e-5, layer.norm1.weight, layer.norm1.bias,
            layer.norm2.weight, layer.norm2.bias, layer.linear1.weight, layer.linear1.bias,
            layer.linear2.weight, layer.linear2.bias,
        )  # fmt: skip

    parts = analyze_graph(graph_of(layer, ((2, 5, 8),)))
    whole = analyze(fused, torch.ones(2, 5, 8), layer=layer)
    assert not whole.unknown
    assert whole.totals.macs == parts.totals.macs
    assert whole.totals.other_ops == parts.totals.other_ops


def test_a_fused_attention_kernel_costs_what_its_parts_do():
    attention = nn.MultiheadAttention(8, 2, batch_first=True)
    packed = (attention.in_proj_weight, attention.in_proj_bias, attention.out_proj.weight, attention.out_proj.bias)

    def fused(self, query):
        return torch._native_multi_head_attention(query, query, query, 8, 2, *packed, need_weights=False)[0]

    parts = analyze_graph(graph_of(attention, ((1, 5, 8),) * 3)).totals.macs
    assert macs(fused, torch.ones(1, 5, 8), attention=attention) == parts


def test_attention_counts_query_heads_and_broadcast_batches():
    grouped = macs(
        lambda self, q, k: F.scaled_dot_product_attention(q, k, k, enable_gqa=True), (1, 8, 5, 16), (1, 2, 7, 16)
    )
    assert grouped == 2 * 8 * 5 * 7 * 16
    spread = macs(lambda self, q, k: F.scaled_dot_product_attention(q, k, k), (1, 2, 5, 16), (3, 2, 7, 16))
    assert spread == 3 * 2 * 2 * 5 * 7 * 16


def test_a_causal_mask_does_not_reduce_the_count():
    analysis = analyze(lambda self, q: F.scaled_dot_product_attention(q, q, q, is_causal=True), (1, 2, 6, 4))
    (layer,) = analysis.layers
    assert isinstance(layer.node.op, Attention)
    assert layer.node.op.causal
    assert analysis.totals.macs == 2 * 2 * 6 * 6 * 4


def test_packed_sequences_count_their_real_steps():
    def packed(self, x):
        steps = nn.utils.rnn.pack_padded_sequence(x, torch.tensor([5, 3]), batch_first=True)
        return self.rnn(steps)[0].data

    assert macs(packed, (2, 5, 4), rnn=nn.LSTM(4, 6, batch_first=True)) == 8 * 4 * 6 * (4 + 6)


PRODUCTS = {
    "mv": (lambda self, a, b: torch.mv(a, b), (3, 4), (4,), 12),
    "dot": (lambda self, a, b: torch.dot(a, b), (4,), (4,), 4),
    "inner": (lambda self, a, b: torch.inner(a, b), (2, 4), (3, 4), 24),
    "tensordot": (lambda self, a, b: torch.tensordot(a, b, dims=2), (2, 3, 4), (3, 4, 5), 120),
    "chain_matmul": (lambda self, a, b: torch.linalg.multi_dot([a, b, a]), (2, 3), (3, 2), 24),
    "einsum": (lambda self, a, b: torch.einsum("bij,bjk->bik", a, b), (2, 3, 4), (2, 4, 5), 120),
    "baddbmm": (lambda self, a, b: torch.baddbmm(torch.zeros(5), a, b), (2, 3, 4), (2, 4, 5), 120),
    "addbmm": (lambda self, a, b: torch.addbmm(torch.zeros(3, 5), a, b), (2, 3, 4), (2, 4, 5), 120),
    "outer": (lambda self, a, b: torch.outer(a, b), (3,), (4,), 0),
    "rmatmul": (lambda self, a, b: a.__rmatmul__(b), (4, 5), (3, 4), 60),
    "affine_grid": (lambda self, a, b: F.affine_grid(a, (2, 1, 4, 5)) + b, (2, 2, 3), (1,), 2 * 20 * 3 * 2),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_functional_products_are_counted(name):
    call, left, right, expected = PRODUCTS[name]
    assert macs(call, left, right) == expected


def test_an_added_operand_that_torch_ignores_is_not_counted():
    ignored = analyze(lambda self, a, b: torch.baddbmm(torch.zeros(5), a, b, beta=0), (2, 3, 4), (2, 4, 5))
    added = analyze(lambda self, a, b: torch.baddbmm(torch.zeros(5), a, b), (2, 3, 4), (2, 4, 5))
    assert (ignored.totals.other_ops, added.totals.other_ops) == (0, 2 * 3 * 5)


# The product's own shape is 3 x 5, or two of these where the batch stays.
SUMS = {
    "addmm": (torch.addmm, (3, 4), (4, 5), 15),
    "addmv": (torch.addmv, (3, 4), (4,), 3),
    "baddbmm": (torch.baddbmm, (2, 3, 4), (2, 4, 5), 30),
    "addbmm": (torch.addbmm, (2, 3, 4), (2, 4, 5), 15),
}
SCALES = [
    ({}, lambda out: out),
    ({"alpha": 0.5}, lambda out: 2 * out),
    ({"beta": 0.5}, lambda out: out + 1),  # one value is added everywhere, and is scaled once
    ({"alpha": 0.5, "beta": 2}, lambda out: 2 * out + 1),
    ({"beta": 0}, lambda out: 0),
    ({"alpha": 0.5, "beta": 0}, lambda out: out),
]


@pytest.mark.parametrize("name", SUMS)
@pytest.mark.parametrize(("scales", "other_ops"), SCALES)
def test_what_is_added_to_a_product_and_every_scale_are_other_ops(name, scales, other_ops):
    function, left, right, out = SUMS[name]
    added = analyze(lambda self, a, b: function(torch.zeros(1), a, b, **scales), left, right)
    plain = analyze(lambda self, a, b: function(torch.zeros(1), a, b, beta=0), left, right)
    assert added.totals.macs == plain.totals.macs > 0
    assert added.totals.other_ops == other_ops(out)


def test_a_fused_product_and_activation_are_both_counted():
    fused = analyze(lambda self, a, b: torch._addmm_activation(torch.zeros(5), a, b), (3, 4), (4, 5))
    assert (fused.totals.macs, fused.totals.other_ops) == (60, 2 * 15)


LABELS = torch.zeros(8, dtype=torch.int64)
# Operations on each of 8 x 10 predictions, before one more that adds them up.
LOSSES = {
    "mse": (F.mse_loss, torch.ones(8, 10), 2),
    "l1": (F.l1_loss, torch.ones(8, 10), 2),
    "smooth l1": (F.smooth_l1_loss, torch.ones(8, 10), 6),
    "huber": (F.huber_loss, torch.ones(8, 10), 5),
    "soft margin": (F.soft_margin_loss, torch.ones(8, 10), 4),
    "binary cross-entropy": (F.binary_cross_entropy, torch.ones(8, 10), 9),
    "with logits": (F.binary_cross_entropy_with_logits, torch.ones(8, 10), 4),
    "multi margin": (F.multi_margin_loss, LABELS, 3),
    "multi margin squared": (lambda x, t: F.multi_margin_loss(x, t, p=2), LABELS, 4),
    "weighted": (
        lambda x, t: F.binary_cross_entropy_with_logits(x, t, x, pos_weight=x[0]),
        torch.ones(8, 10),
        4 + 1 + 3,
    ),
    "log-likelihood": (F.nll_loss, LABELS, 0),
    "cross-entropy": (F.cross_entropy, LABELS, 5),  # log-softmax takes five
    "pixels": (lambda x, t: F.nll_loss(x.view(2, 10, 2, 2), t.view(2, 2, 2)), LABELS, 0),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_other_ops_on_every_prediction_and_their_sum(name):
    loss, target, operations = LOSSES[name]
    totals = analyze(lambda self, x, t: loss(x, t), (8, 10), target).totals
    assert (totals.macs, totals.other_ops) == (0, 80 * (operations + 1))


def test_a_loss_that_is_not_reduced_ends_with_its_elements():
    each = analyze(lambda self, x: F.mse_loss(x, x[:1], reduction="none"), (8, 10))
    assert each.totals.other_ops == 2 * 80
    rows = analyze(lambda self, x, t: F.multi_margin_loss(x, t, reduction="none"), (8, 10), LABELS)
    assert rows.layers[-1].node.outputs[0].shape == (8,)
    assert not each.unknown + rows.unknown


def kinds(call, *inputs):
    return [type(layer.node.op) for layer in analyze(call, *inputs).layers]


def test_movement_reductions_and_sampling_find_their_kinds():
    assert kinds(lambda self, x: x.roll(1), (4, 4)) == [Move]
    assert kinds(lambda self, x: x.sum(1), (4, 4)) == [Reduce]
    assert kinds(lambda self, x: x.max(), (4, 4)) == [Reduce]
    assert kinds(lambda self, x, y: torch.max(x, y), (4, 4), (4, 4)) == [Elementwise]
    assert kinds(lambda self, x, y: F.grid_sample(x, y, align_corners=False), (1, 2, 4, 4), (1, 3, 3, 2)) == [Resample]
    assert kinds(lambda self, x: x.cumsum(1), (4, 4)) == [Elementwise]


def test_transposed_convolution_counts_input_positions():
    graph = graph_of(nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1, bias=False), ((1, 16, 8, 8),))
    assert isinstance(graph.nodes[0].op, ConvTranspose)
    assert graph.nodes[0].cost.macs == 64 * 16 * 8 * 16


def test_a_same_padded_even_kernel_pads_the_far_side():
    (node,) = graph_of(nn.Conv2d(3, 8, 4, padding="same"), ((1, 3, 20, 20),)).nodes
    assert isinstance(node.op, Conv)
    assert node.op.pads == ((1, 2), (1, 2))


@pytest.mark.parametrize(
    ("call", "function"),
    [
        (lambda self, x: F.relu6(x), "clip"),
        (lambda self, x: F.hardtanh(x), "clip"),
        (lambda self, x: x.clamp(0, 1), "clip"),
        (lambda self, x: x.clamp_(min=0), "clip"),
        (lambda self, x: F.silu(x), "silu"),
    ],
)
def test_one_function_has_one_word_under_every_name(call, function):
    (node,) = graph_of(Calls(call), (torch.rand(2, 3),)).nodes
    assert node.op == Activation(function=function)


def test_clamping_between_tensors_reads_them():
    bounds = torch.zeros(3), torch.ones(3)
    (node,) = graph_of(Calls(lambda self, x, low, high: x.clamp(low, high)), (torch.rand(2, 3), *bounds)).nodes
    assert len(node.operands) == 3
    assert node.outputs[0].shape == (2, 3)
