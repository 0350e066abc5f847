"""Every sample is read and costs what its text says; published networks come out exactly."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from convcost.analysis import Analysis, analyze_graph
from convcost.api import compare
from convcost.graph import Role
from convcost.graph.ops import Conv, Linear
from convcost.sources import InputSpec
from convcost.sources.spec import read_spec

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "sample_configs"
PUBLISHED = json.loads((Path(__file__).parent / "data" / "published.json").read_text())

# File: MACs, parameters, buffers.
TOTALS = {
    "layer.yaml": (115_605_504, 147_456, 0),
    "layers.yaml": (1_656_252_416, 3_106_944, 0),
    "mobilenet_v1.yaml": (568_740_352, 4_231_976, 21_888),
    "mobilenet_v1_dense.yaml": (4_867_293_184, 29_294_088, 11_968),
    "examples/one_kernel.yaml": (9, 9, 0),
    "examples/image_12x12_kernel_5x5.yaml": (1_228_800, 19_200, 0),
    "examples/image_7x7_kernel_3x3.yaml": (86_400, 3_456, 0),
    "examples/image_64x64_df_input.yaml": (62 * 62 * 3 * 256 * 9, 6_912, 0),
    "examples/depthwise_then_pointwise.yaml": (32 * 32 * 64 * (9 + 128), 8_960, 0),
    "examples/sobel.yaml": (64 * 64 * 9, 9, 0),
    "examples/laplacian.yaml": (64 * 64 * 9, 9, 0),
}


def analyzed(name: str, **request: object) -> Analysis:
    return analyze_graph(read_spec(str(SAMPLES / name), **request).graph)


def variant(tmp_path: Path, text: str) -> Analysis:
    path = tmp_path / "variant.yaml"
    path.write_text(text, encoding="utf-8")
    return analyze_graph(read_spec(str(path)).graph)


def contraction_weights(analysis: Analysis) -> int:
    """Convolution and classifier weights, without biases."""
    return sum(layer.node.weights[0].numel for layer in analysis.layers if isinstance(layer.node.op, Conv | Linear))


def classifier_macs(analysis: Analysis) -> int:
    return sum(layer.cost.macs for layer in analysis.layers if isinstance(layer.node.op, Linear))


def test_every_sample_is_pinned():
    files = {path.relative_to(SAMPLES) for pattern in ("*.yaml", "*.yml") for path in SAMPLES.rglob(pattern)}
    # kernels/ and devices/ hold numbers of single kernels and of machines, which are no layers; literature/ is held by
    # tests/test_literature.py.
    elsewhere = {"kernels", "devices", "literature"}
    assert {path.as_posix() for path in files if path.parts[0] not in elsewhere} == set(TOTALS)


@pytest.mark.parametrize("name", TOTALS)
def test_a_sample_costs_what_is_pinned(name):
    totals = analyzed(name).totals
    assert (totals.macs, totals.params, totals.buffers) == TOTALS[name]


def test_mobilenet_v1_is_the_published_one():
    published, analysis = PUBLISHED["mobilenet_v1"], analyzed("mobilenet_v1.yaml")
    assert analysis.totals.macs == published["macs"]
    assert analysis.totals.macs - classifier_macs(analysis) == published["body_macs"]
    assert analysis.totals.params == published["params_all"]
    assert contraction_weights(analysis) == published["weights"]


def test_dense_mobilenet_v1_is_the_published_one():
    published, analysis = PUBLISHED["conv_mobilenet"], analyzed("mobilenet_v1_dense.yaml")
    assert analysis.totals.macs == published["macs"]
    assert analysis.totals.macs - classifier_macs(analysis) == published["body_macs"]
    assert contraction_weights(analysis) == published["weights"]


def test_both_forms_of_mobilenet_v1_name_and_shape_their_blocks_alike():
    thin, dense = analyzed("mobilenet_v1.yaml"), analyzed("mobilenet_v1_dense.yaml")
    thin_convs = {layer.name: layer.node for layer in thin.layers if isinstance(layer.node.op, Conv)}
    for layer in dense.layers:
        if isinstance(layer.node.op, Conv) and layer.node.scope != "stem":
            scope = layer.node.scope
            assert layer.name == f"{scope}.conv"
            assert thin_convs[f"{scope}.depthwise"].inputs[0].shape == layer.node.inputs[0].shape
            assert thin_convs[f"{scope}.pointwise"].outputs[0].shape == layer.node.outputs[0].shape


@pytest.mark.parametrize(("percent", "key"), [(75, "mobilenet_v1_075"), (50, "mobilenet_v1_05")])
def test_mobilenet_v1_at_other_widths(tmp_path, percent, key):
    text = (SAMPLES / "mobilenet_v1.yaml").read_text(encoding="utf-8")
    narrow = re.sub(r"out_channels: (\d+)", lambda match: f"out_channels: {int(match[1]) * percent // 100}", text)
    analysis = variant(tmp_path, narrow)
    assert analysis.totals.macs == PUBLISHED[key]["macs"]
    assert contraction_weights(analysis) == PUBLISHED[key]["weights"]


def test_shallow_mobilenet_v1_leaves_out_five_blocks(tmp_path):
    text = (SAMPLES / "mobilenet_v1.yaml").read_text(encoding="utf-8")
    head, *blocks = re.split(r"(?=  - name: block\d+\n)", text)
    analysis = variant(tmp_path, head + "".join(blocks[:6] + blocks[11:]))
    assert analysis.totals.macs == PUBLISHED["mobilenet_v1_shallow"]["macs"]
    assert contraction_weights(analysis) == PUBLISHED["mobilenet_v1_shallow"]["weights"]


@pytest.mark.parametrize("side", [192, 128])
def test_mobilenet_v1_at_other_resolutions(side):
    analysis = analyzed("mobilenet_v1.yaml", inputs=(InputSpec(shape=(1, 3, side, side)),))
    assert analysis.totals.macs == PUBLISHED[f"mobilenet_v1_{side}"]["macs"]


@pytest.mark.parametrize(
    ("channels", "kernel", "side", "depthwise", "pointwise"),
    [((3, 256), 5, 12, 4_800, 49_152), ((3, 128), 3, 7, 675, 9_600), ((512, 512), 3, 14, 903_168, 51_380_224)],
)
def test_depthwise_and_pointwise_of_the_worked_examples(tmp_path, channels, kernel, side, depthwise, pointwise):
    padding = "same" if side == 14 else "valid"
    text = f"""
input: [{channels[0]}, {side}, {side}]
layers:
  - {{type: depthwise, kernel: {kernel}, padding: {padding}, bias: false}}
  - {{type: pointwise, out_channels: {channels[1]}, bias: false}}
"""
    analysis = variant(tmp_path, text)
    assert [layer.cost.macs for layer in analysis.layers] == [depthwise, pointwise]


@pytest.mark.parametrize("name", TOTALS)
def test_every_sample_can_be_compared(name):
    first, *_ = compare(SAMPLES / name).totals
    assert first.macs == TOTALS[name][0]


@pytest.mark.parametrize(
    ("example", "df", "macs"),
    [
        ("one_kernel", "output", [9, 3 + 3]),
        ("image_12x12_kernel_5x5", "output", [1_228_800, 4_800 + 49_152]),
        ("image_7x7_kernel_3x3", "output", [86_400, 675 + 9_600]),
        ("image_64x64_df_input", "input", [28_311_552, 110_592 + 2_952_192]),
        ("sobel", "output", [9 * 64 * 64, 6 * 64 * 64, 6 * 64 * 64]),
        ("laplacian", "output", [9 * 64 * 64, 6 * 64 * 64, 12 * 64 * 64]),
    ],
)
def test_a_worked_example_compares_as_its_text_says(example, df, macs):
    (layer,) = compare(SAMPLES / "examples" / f"{example}.yaml", df=df).layers
    assert [candidate.cost.macs for candidate in layer.candidates] == macs


def test_dense_mobilenet_v1_made_depthwise_separable_is_mobilenet_v1():
    comparison = compare(SAMPLES / "mobilenet_v1_dense.yaml", alternatives="depthwise_separable", layers=["block*"])
    assert comparison.totals[-1].macs == PUBLISHED["mobilenet_v1"]["macs"]
    assert comparison.totals[-1].replaced_layers == 13


def test_only_norm_layers_hold_buffers():
    for layer in analyzed("mobilenet_v1.yaml").layers:
        buffers = [weight for weight in layer.node.weights if weight.role is Role.BUFFER]
        assert bool(buffers) == (layer.node.op.kind == "norm"), layer.name
