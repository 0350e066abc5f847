"""Layers that stand alone: defaults, weights, padding in all its spellings."""

from __future__ import annotations

import pytest

from convcost.graph import DType, Role
from convcost.graph.ops import Conv, ConvTranspose

CONV = "layer: {{type: conv, in_channels: 6, out_channels: 8, kernel: 3, input: [12, 10]{}}}"


def only_node(read):
    (node,) = read.graph.nodes
    return node


def test_a_convolution_defaults_to_stride_1_no_padding_one_group_and_a_bias(spec):
    node = only_node(spec(CONV.format("")))
    assert node.op == Conv(
        in_channels=6, out_channels=8, kernel=(3, 3), stride=(1, 1), pads=((0, 0), (0, 0)), dilation=(1, 1), groups=1
    )
    assert [(w.name, w.shape) for w in node.weights] == [("conv1.weight", (8, 6, 3, 3)), ("conv1.bias", (8,))]
    assert node.inputs[0].shape == (1, 6, 12, 10)
    assert node.outputs[0].shape == (1, 8, 10, 8)


def test_a_node_knows_the_file_and_line_it_was_written_at(spec, spec_folder):
    graph = spec("version: 1\nlayers:\n\n  - type: linear\n    in_features: 2\n    out_features: 3\n").graph
    origin = graph.nodes[0].origin
    assert (origin.operator, origin.file, origin.line) == ("linear", f"{spec_folder}/layer.yaml", 4)
    assert (graph.target, graph.source) == (f"{spec_folder}/layer.yaml", "spec")


@pytest.mark.parametrize(
    ("padding", "pads"),
    [
        ("2", ((2, 2), (2, 2))),
        ("[1, 2]", ((1, 1), (2, 2))),
        ("[[0, 1], [2, 3]]", ((0, 1), (2, 3))),
        ("[1, [0, 2]]", ((1, 1), (0, 2))),
        ("valid", ((0, 0), (0, 0))),
        ("same", ((1, 1), (1, 1))),
    ],
)
def test_padding_in_every_spelling(spec, padding, pads):
    assert only_node(spec(CONV.format(f", padding: {padding}"))).op.pads == pads


def test_same_padding_with_stride_gives_the_ceiling_and_an_even_kernel_pads_after(spec):
    node = only_node(
        spec(
            "layer: {type: conv, in_channels: 1, out_channels: 1, kernel: 4, stride: [1, 2],"
            " padding: same, input: [9, 9]}"
        )
    )
    assert node.outputs[0].shape[2:] == (9, 5)
    assert node.op.pads[0] == (1, 2)


@pytest.mark.parametrize(("sizes", "kernel"), [("[30]", (5,)), ("[30, 30]", (5, 5)), ("[30, 30, 30]", (5, 5, 5))])
def test_the_input_tells_how_many_axes_a_kernel_has(spec, sizes, kernel):
    node = only_node(spec(f"layer: {{type: conv, in_channels: 1, out_channels: 1, kernel: 5, input: {sizes}}}"))
    assert node.op.kernel == kernel


def test_depthwise_has_one_group_per_channel_and_multiplies_them(spec):
    op = only_node(spec("layer: {type: depthwise, in_channels: 6, multiplier: 2, kernel: 3, input: [8, 8]}")).op
    assert (op.groups, op.out_channels, op.kind) == (6, 12, "depthwise")
    same = only_node(spec("layer: {type: depthwise, in_channels: 6, out_channels: 12, kernel: 3, input: [8, 8]}")).op
    assert same == op


def test_pointwise_is_a_convolution_by_one(spec):
    node = only_node(spec("layer: {type: pointwise, in_channels: 6, out_channels: 4, stride: 2, input: [8, 8]}"))
    assert node.op.kind == "pointwise"
    assert node.cost.macs == 4 * 4 * 6 * 4


def test_transposed_convolution_counts_input_positions_and_takes_output_padding(spec):
    node = only_node(
        spec(
            "layer: {type: conv_transpose, in_channels: 6, out_channels: 4, kernel: 3, stride: 2, padding: 1,"
            " output_padding: 1, groups: 2, bias: false, input: [5, 5]}"
        )
    )
    assert isinstance(node.op, ConvTranspose)
    assert node.outputs[0].shape == (1, 4, 10, 10)
    assert node.cost.macs == 25 * 6 * 2 * 9
    assert node.weights[0].shape == (6, 2, 3, 3)


def test_linear_applies_to_as_many_positions_as_its_input_has(spec):
    one = only_node(spec("layer: {type: linear, in_features: 6, out_features: 4}"))
    many = only_node(spec("layer: {type: linear, in_features: 6, out_features: 4, input: [197], batch: 2}"))
    assert many.inputs[0].shape == (2, 197, 6)
    assert many.cost.macs == 2 * 197 * one.cost.macs


def test_batch_multiplies_macs_and_dtype_sets_bytes(spec):
    one, two = only_node(spec(CONV.format(""))), only_node(spec(CONV.format(", batch: 2, dtype: bfloat16")))
    assert two.cost.macs == 2 * one.cost.macs
    assert {tensor.dtype for tensor in (*two.operands, *two.outputs)} == {DType.BFLOAT16}
    assert {weight.role for weight in two.weights} == {Role.PARAMETER}


def test_unnamed_layers_are_numbered_by_type(spec):
    conv = "{type: conv, in_channels: 1, out_channels: 1, kernel: 1, input: [1]}"
    linear = "{type: linear, in_features: 1, out_features: 1}"
    named = conv.replace("{", "{name: stem, ")
    graph = spec(f"layers: [{conv}, {linear}, {named}, {conv}]").graph
    assert [node.name for node in graph.nodes] == ["conv1", "linear1", "stem", "conv3"]


def test_independent_layers_read_an_input_each_and_none_is_kept_for_another(spec):
    graph = spec(f"layers: [{CONV.format('')[7:]}, {CONV.format('')[7:]}]").graph
    assert [tensor.name for tensor in graph.inputs] == ["conv1.input", "conv2.input"]
    assert graph.outputs == ()
    assert len(graph.notes) == 1
