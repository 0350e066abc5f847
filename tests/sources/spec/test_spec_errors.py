"""Everything a spec can say that cannot be meant, with the place and the hint."""

from __future__ import annotations

import pytest

LAYER = """\
version: 1
layer:
  type: conv
  in_channels: 6
  out_channels: 8
  kernel: 3
  input: [12, 10]
"""


def without(key: str) -> str:
    return "".join(line for line in LAYER.splitlines(keepends=True) if not line.startswith(f"  {key}:"))


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("kernal: 3", "8:3: unknown key 'kernal' in a conv layer", "did you mean 'kernel'?"),
        ("repeat: 2", "8:3: unknown key 'repeat' in a conv layer", "repeat belongs to networks"),
        ("bias: 1", "8:9: bias must be true or false, not 1", "such as bias: true"),
        ("bias: no", "8:9: bias must be true or false, not 'no'", "such as bias: true"),
        ("stride: 0", "8:11: stride must be at least 1, not 0", "stride takes whole numbers from 1"),
        ("stride: -1", "8:11: stride must be at least 1, not -1", "stride takes"),
        ("stride: true", "8:11: stride must be a whole number or a list, not true", "such as stride: 1"),
        ("stride: 1.5", "8:11: stride must be a whole number or a list, not 1.5", "such as stride: 1"),
        ("stride: [1, two]", "8:15: stride must be a whole number, not 'two'", "such as stride: 1"),
        ("stride: [1]", "8:11: stride has a list of 1 for 2 spatial axes", "write one number for all axes, or 2"),
        ("stride: {a: 1}", "8:11: stride must be a whole number or a list, not a mapping", "such as"),
        ("padding: -1", "8:12: padding must be at least 0, not -1", "padding takes"),
        ("padding: smae", "8:12: padding cannot be 'smae'", "did you mean 'same'?"),
        (
            "padding: [1, [1]]",
            "8:16: padding has a list of 1 for one axis",
            "an axis takes a number or [before, after]",
        ),
        ("padding: [1, 1, 1, 1]", "8:12: padding has a list of 4 for 2 spatial axes", "pairs are written"),
        ("groups: 4", "3:3: conv1: groups 4 does not divide 6 input and 8 output channels", "the layer's input"),
        ("dilation: 6", "3:3: conv1: kernel of extent 13 is larger than the padded input of 12", "the layer's input"),
        ("batch: 0", "8:10: batch must be at least 1, not 0", "batch takes"),
        ("batch: 1099511627777", "8:10: batch must be at most 1099511627776, not 1099511627777", "batch takes"),
        ("batch: " + "9" * 400, "8:10: a number of 400 digits is too large", "18 digits at most"),
        ("dtype: float31", "8:10: dtype cannot be 'float31'", "did you mean 'float32'?"),
        ("name: 3", "8:9: name must be text, not 3", "numbers, true and false need quotes"),
        ("name: ''", "8:9: name must be 1 to 200 printable characters", "such as name: conv2_1"),
        ('name: "a\\u202Eb"', "8:9: name must be 1 to 200 printable characters", "such as name: conv2_1"),
        ("kernel: 5", "8:3: key 'kernel' stands here a second time", "keep one of the two"),
        ("multiplier: 2", "8:3: unknown key 'multiplier' in a conv layer", "known keys: name, type, in_channels"),
    ],
)
def test_a_line_too_many_is_refused_at_its_place(refusal, line, message, hint):
    said, hinted = refusal(f"{LAYER}  {line}\n")
    assert said.startswith(f"layer.yaml:{message}")
    assert hinted.startswith(hint)


@pytest.mark.parametrize("key", ["in_channels", "out_channels", "kernel", "input"])
def test_a_missing_key_is_named(refusal, key):
    assert refusal(without(key)) == (f"layer.yaml:3:3: a conv layer has no '{key}'", f"add '{key}'")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("- a\n", "1:1: a spec must be a mapping, not a list", "one 'key: value' a line"),
        ("just text\n", "1:1: a spec must be a mapping, not 'just text'", "one 'key: value' a line"),
        ("---\n", "2:1: a spec must be a mapping, not nothing", "one"),
        ("", "1:1: the file is empty", "sample_configs/"),
        ("version: 1\n", "1:1: a spec has no 'layers'", "add 'layers'"),
        ("version: 2\nlayer: {}\n", "1:10: version 2 is not known", "write version: 1"),
        ("version: true\nlayer: {}\n", "1:10: version true is not known", "write version: 1"),
        ("version: '1'\nlayer: {}\n", "1:10: version '1' is not known", "write version: 1"),
        ("layer: {}\nlayers: []\n", "2:1: a spec has 'layer' or 'layers', not both", "put all of them"),
        ("layers: []\n", "1:9: layers is an empty list", "a layer is written"),
        ("layers: {type: conv}\n", "1:9: layers must be a list, not a mapping", "one item a line"),
        ("layer: [1]\n", "1:8: a layer must be a mapping, not a list", "one 'key: value' a line"),
        ("layers: [3]\n", "1:10: a layer must be a mapping, not 3", "one 'key: value' a line"),
        ("layer: {kernel: 3}\n", "1:8: a layer has no 'type'", "add 'type'"),
        ("layer: {tpye: conv}\n", "1:9: unknown key 'tpye' in a layer", "did you mean 'type'?"),
        ("layer: {zzz: conv}\n", "1:9: unknown key 'zzz' in a layer", "known keys: name, type, input, batch, dtype"),
        ("layer: {type: cnov}\n", "1:15: type cannot be 'cnov'", "did you mean 'conv'?"),
        ("layer: {type: 7}\n", "1:15: type cannot be 7", "known values: conv, conv_transpose"),
        ("layer: {type: pool, kernel: 2}\n", "1:15: a pool layer stands only in a network", "a network has `input:"),
        ("layer: {block: []}\n", "1:9: unknown key 'block' in a layer", "blocks belong to networks"),
        ("layres: []\n", "1:1: unknown key 'layres' in a spec", "did you mean 'layers'?"),
        ("batch: 2\nlayers: []\n", "1:1: unknown key 'batch' in a spec", "only a network"),
        (
            "layers:\n- {name: a, type: linear, in_features: 1, out_features: 1}\n"
            "- {name: a, type: linear, in_features: 1, out_features: 1}\n",
            "3:10: two layers are named 'a'",
            "give one of them another name",
        ),
        (
            "layer: {type: conv, in_channels: 1, out_channels: 1, kernel: 1, input: 56}\n",
            "1:72: input must be a list of 1 to 3 sizes",
            "such as input: [56, 56]",
        ),
        (
            "layer: {type: conv, in_channels: 1, out_channels: 1, kernel: 1, input: [56, 0]}\n",
            "1:77: input must be at least 1, not 0",
            "input takes",
        ),
        (
            "layer: {type: depthwise, in_channels: 4, out_channels: 6, kernel: 1, input: [5]}\n",
            "1:8: depthwise1: 6 output channels are not a multiple of the 4 input channels",
            "the layer's input",
        ),
        (
            "layer: {type: depthwise, in_channels: 4, out_channels: 12, multiplier: 2, kernel: 1, input: [5]}\n",
            "1:8: depthwise1: the multiplier makes 8 of 4 channels, not 12",
            "the layer's input",
        ),
        (
            "layer: {type: pointwise, in_channels: 4, out_channels: 6, kernel: 1, input: [5]}\n",
            "1:59: unknown key 'kernel' in a pointwise layer",
            "known keys",
        ),
        (
            "layer: {type: conv_transpose, in_channels: 4, out_channels: 6, kernel: 3, padding: same, input: [5]}\n",
            "1:84: padding cannot be 'same'",
            "known values: valid",
        ),
        (
            "layer: {type: conv_transpose, in_channels: 4, out_channels: 6, kernel: 3, padding: 9, input: [5]}\n",
            "1:8: conv_transpose1: the transposed convolution's output would be [-11]",
            "the layer's input",
        ),
        (
            "layer: {type: conv_transpose, in_channels: 4, out_channels: 6, kernel: 3, output_padding: 1,"
            " input: [9]}\n",
            "1:8: conv_transpose1: output_padding must be smaller than the stride or the dilation",
            "the layer's input",
        ),
        ("layer:\n  type: conv\n\tkernel: 3\n", "3:1: not valid YAML", "indent with spaces"),
    ],
)
def test_a_spec_that_cannot_be_meant_is_refused_at_its_place(refusal, text, message, hint):
    said, hinted = refusal(text)
    assert said.startswith(f"layer.yaml:{message}")
    assert hinted.startswith(hint)


@pytest.mark.parametrize(
    ("layer", "message", "hint"),
    [
        (
            "{type: conv, input: [3], out_channels: 1, kernel: 1}",
            "2:23: unknown key 'input' in a conv layer",
            "the shapes of a",
        ),
        (
            "{type: conv, batch: 2, out_channels: 1, kernel: 1}",
            "2:23: unknown key 'batch' in a conv layer",
            "a network has one",
        ),
        ("{type: norm, dtype: int8}", "2:23: unknown key 'dtype' in a norm layer", "a network has one dtype"),
        (
            "{type: conv, in_channels: 4, out_channels: 1, kernel: 1}",
            "2:36: in_channels is 4, but the layer before gives 3",
            "leave in_channels out, or make it 3",
        ),
        (
            "{type: conv, out_channels: 1, kernel: 9}",
            "2:10: conv1: kernel of extent 9 is larger than the padded input of 8",
            "the layer's input, after the batch, is [3, 8, 8]",
        ),
        (
            "{type: pool, kernel: 9}",
            "2:10: pool1: pooling window 9 is larger than the padded input of 8",
            "the layer's input",
        ),
        ("{type: pool, kernel: 2, method: mean}", "2:42: method cannot be 'mean'", "known values: max, avg"),
        ("{type: activation, function: rellu}", "2:39: function cannot be 'rellu'", "did you mean 'relu'?"),
        ("{type: norm, method: bacth}", "2:31: method cannot be 'bacth'", "did you mean 'batch'?"),
        (
            "{type: linear, out_features: 1}",
            "2:10: linear1: its input [3, 8, 8] is a feature map",
            "put {type: flatten} before it",
        ),
        ("{type: norm, repeat: 0}", "2:31: repeat must be at least 1, not 0", "repeat takes"),
        ("{type: norm, repeat: 10001}", "2:10: more than 10,000 layers, repetitions spelled out", "lower a repeat"),
        ("{block: [], repeat: 2}", "2:18: block is an empty list", "a layer is written"),
        ("{block: [{type: norm}], reepat: 2}", "2:34: unknown key 'reepat' in a block", "did you mean 'repeat'?"),
        (
            "{block: [{type: flatten}, {type: conv, out_channels: 1, kernel: 1}]}",
            "2:36: block1.conv1: it takes channels and one to three spatial axes, not the input [192]",
            "the layer's input",
        ),
        (
            "{repeat: 2, block: [{name: a, type: conv, out_channels: 9, kernel: 5}]}",
            "2:30: block1.2.a: kernel of extent 5 is larger than the padded input of 4",
            "the layer's input, after the batch, is [9, 4, 4]",
        ),
        (
            "{type: flatten}, {type: linear, in_features: 9, out_features: 1}",
            "2:55: in_features is 9, but the layer before gives 192",
            "leave in_features out",
        ),
    ],
)
def test_a_network_that_does_not_fit_is_refused_at_its_place(refusal, layer, message, hint):
    said, hinted = refusal(f"input: [3, 8, 8]\nlayers: [{layer}]\n")
    assert said.startswith(f"layer.yaml:{message}")
    assert hinted.startswith(hint)


@pytest.mark.parametrize("sizes", ["8", "[]", "[3, 8, 8, 8, 8]", "{a: 1}", "x"])
def test_a_networks_input_is_one_to_four_sizes(refusal, sizes):
    said, hinted = refusal(f"input: {sizes}\nlayers: [{{type: norm}}]\n")
    assert said == "layer.yaml:1:8: input must be a list of 1 to 4 sizes"
    assert hinted == "such as input: [3, 224, 224]"


def test_nested_repetition_cannot_grow_without_end(refusal):
    block = "{type: activation}"
    for _ in range(10):
        block = f"{{repeat: 100, block: [{block}]}}"
    assert "more than 10,000 layers" in refusal(f"input: [3]\nlayers: [{block}]\n")[0]
