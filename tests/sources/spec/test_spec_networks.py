"""Networks: chained shapes, blocks, repetitions, and an input that the request may change."""

from __future__ import annotations

import pytest

from convcost.analysis import analyze_graph
from convcost.graph import DType
from convcost.sources import InputSpec

NETWORK = """
input: [3, 32, 32]
layers:
  - {type: conv, out_channels: 8, kernel: 3, padding: 1}
  - {type: norm}
  - {type: activation}
  - {type: pool, kernel: 2}
  - name: stage
    repeat: 2
    block:
      - {type: depthwise, kernel: 3, padding: same}
      - {name: mix, type: pointwise, out_channels: 16}
  - {type: activation, function: gelu, repeat: 2}
  - {type: global_pool}
  - {type: flatten}
  - {type: linear, out_features: 10}
"""


def test_names_carry_the_block_and_the_number_of_the_repetition(spec):
    names = [node.name for node in spec(NETWORK).graph.nodes]
    assert names[4:10] == [
        *("stage.1.depthwise1", "stage.1.mix", "stage.2.depthwise1", "stage.2.mix"),
        *("activation2.1", "activation2.2"),
    ]
    assert names[-1] == "linear1"


def test_a_block_without_repeat_has_no_number_and_with_repeat_1_it_has(spec):
    text = "input: [3, 8, 8]\nlayers: [{{block: [{{type: activation}}]{}}}]"
    assert spec(text.format("")).graph.nodes[0].name == "block1.activation1"
    assert spec(text.format(", repeat: 1")).graph.nodes[0].name == "block1.1.activation1"


def test_every_layer_reads_what_the_one_before_wrote(spec):
    graph = spec(NETWORK).graph
    for before, after in zip(graph.nodes, graph.nodes[1:], strict=False):
        assert after.inputs == before.outputs
    assert graph.inputs == graph.nodes[0].inputs
    assert graph.outputs == graph.nodes[-1].outputs
    assert graph.outputs[0].shape == (1, 10)


def test_flatten_is_a_view_of_its_input(spec):
    flatten = next(node for node in spec(NETWORK).graph.nodes if node.name == "flatten1")
    assert flatten.outputs[0].buffer == flatten.inputs[0].name
    assert flatten.cost.bytes_moved == 0


def test_repetition_stores_its_weights_as_often_as_it_runs(spec):
    weights = {weight.name for weight in spec(NETWORK).graph.weights}
    assert {"stage.1.mix.weight", "stage.2.mix.weight"} <= weights


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
def test_a_network_agrees_with_torch_on_every_shape_parameter_and_buffer(spec):
    import torch
    from torch import nn

    text = """
input: [4, 33, 31]
batch: 2
layers:
  - {type: conv, out_channels: 12, kernel: [5, 3], stride: [2, 1], padding: [2, 1], dilation: [1, 2], groups: 2}
  - {type: norm}
  - {type: pool, kernel: 3, stride: 2, padding: 1, ceil_mode: true}
  - {type: conv_transpose, out_channels: 6, kernel: 3, stride: 2, padding: 1, output_padding: 1, dilation: 2, groups: 3}
  - {type: norm, method: group}
  - {type: pool, method: avg, kernel: 2}
  - {type: norm, method: instance, affine: false}
  - {type: depthwise, kernel: 4, padding: same, multiplier: 2, bias: false}
  - {type: global_pool, method: max}
  - {type: flatten}
  - {type: linear, out_features: 5}
  - {type: norm, method: rms}
"""
    with torch.device("meta"):
        module = nn.Sequential(
            nn.Conv2d(4, 12, (5, 3), (2, 1), (2, 1), (1, 2), groups=2),
            nn.BatchNorm2d(12),
            nn.MaxPool2d(3, 2, 1, ceil_mode=True),
            nn.ConvTranspose2d(12, 6, 3, 2, 1, 1, groups=3, dilation=2),
            nn.GroupNorm(3, 6),
            nn.AvgPool2d(2),
            nn.InstanceNorm2d(6),
            nn.Conv2d(6, 12, 4, padding="same", groups=6, bias=False),
            nn.AdaptiveMaxPool2d(1),
            nn.Flatten(),
            nn.Linear(12, 5),
            nn.RMSNorm(5),
        )
        x = torch.empty(2, 4, 33, 31)
    graph = spec(text).graph
    for node, layer in zip(graph.nodes, module, strict=True):
        x = layer(x)
        assert node.outputs[0].shape == tuple(x.shape), node.name
    totals = analyze_graph(graph).totals
    assert totals.params == sum(parameter.numel() for parameter in module.parameters())
    assert totals.buffers == sum(buffer.numel() for buffer in module.buffers() if buffer.dim())


def test_in_channels_may_be_written_where_they_agree(spec):
    spec("input: [3, 8, 8]\nlayers: [{type: conv, in_channels: 3, out_channels: 2, kernel: 1}]")


def test_the_request_changes_the_input_of_a_network(spec):
    asked = InputSpec(shape=(4, 3, 64, 48), name="input", dtype=DType.FLOAT16)
    graph = spec(NETWORK, inputs=(asked,)).graph
    assert graph.inputs[0].shape == (4, 3, 64, 48)
    assert graph.nodes[0].outputs[0].shape == (4, 8, 64, 48)
    assert {tensor.dtype for tensor in graph.outputs} == {DType.FLOAT16}
    assert {weight.dtype for weight in graph.weights} == {DType.FLOAT16}


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ((InputSpec(shape=(3, 32, 32)),), "--input has 3 sizes, the network's input 4, the batch first"),
        ((InputSpec(shape=(1, 3, 0, 32)),), "--input sizes lie from 1 to"),
        ((InputSpec(shape=(1, 3, 2**41, 32)),), "--input sizes lie from 1 to"),
        ((InputSpec(shape=(1, 3, 32, 32), name="x"),), "unknown input 'x'"),
        ((InputSpec(shape=(1, 3, 32, 32)),) * 2, "a spec's network has one input, not 2"),
    ],
)
def test_an_input_that_does_not_fit_is_refused(refusal, inputs, message):
    assert refusal(NETWORK, inputs=inputs)[0].startswith(message)


def test_layers_that_stand_alone_take_no_input_from_the_request(refusal):
    text = "layer: {type: linear, in_features: 1, out_features: 1}"
    message, hint = refusal(text, inputs=(InputSpec(shape=(1, 1)),))
    assert message == "layer.yaml holds layers, not a network: --input does not apply"
    assert hint == "change `input` in the layer itself"


def test_a_spec_has_no_symbolic_dimensions(refusal):
    assert refusal(NETWORK, dims={"N": 1})[0] == "a spec has no symbolic dimension 'N'"
