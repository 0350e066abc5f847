"""torchvision's published table, and torch's own counter as a second opinion."""

from __future__ import annotations

from functools import cache

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from convcost.analysis import analyze_graph
from convcost.graph.ops import AdaptivePool, Gather, Move, Reduce
from convcost.sources import InputSpec, Request, load
from convcost.sources.torch import graph_of
from tests.sources.torch.networks import Residual

KNOWN = {
    "resnet18": (1_814_073_344, 11_689_512),
    "mobilenet_v2": (300_774_272, 3_504_872),
    "mobilenet_v3_large": (216_589_760, 5_483_032),
    "efficientnet_b0": (385_814_752, 5_288_548),
    "vgg16": (15_470_264_320, 138_357_544),
    "resnext50_32x4d": (4_230_479_872, 25_028_904),
    "vit_b_16": (17_563_828_224, 86_567_656),
}
CLASSIFIERS = torchvision.models.list_models(module=torchvision.models)
OTHERS = [
    "deeplabv3_mobilenet_v3_large",
    "fcn_resnet50",
    "lraspp_mobilenet_v3_large",
    "quantized_mobilenet_v2",
    "quantized_resnet18",
    "r3d_18",
    "s3d",
    "swin3d_t",
    "mvit_v1_b",
]
# As their constructors draw them, these two carry auxiliary heads that the published weights have not (googlenet),
# or have (the segmentation models).
ARGUMENTS = {
    "googlenet": "?aux_logits=False",
    "quantized_googlenet": "?aux_logits=False",
    "deeplabv3_mobilenet_v3_large": "?aux_loss=True",
    "fcn_resnet50": "?aux_loss=True",
}


@cache
def graph_of_named(name, arguments=""):
    return load(Request(target=f"torchvision:{name}{arguments}"))


@pytest.mark.parametrize("name", KNOWN)
def test_known_totals_are_exact(name):
    totals = analyze_graph(graph_of_named(name)).totals
    assert (totals.macs, totals.params) == KNOWN[name]


@pytest.mark.parametrize("name", [*CLASSIFIERS, *OTHERS])
def test_the_published_table_agrees_to_its_rounding(name):
    published = published_for(name, load_arguments(name))
    analysis = analyze_graph(graph_of_named(name, load_arguments(name)))
    assert not analysis.unknown
    assert (round(analysis.totals.macs / 1e9, 3), analysis.totals.params) == published


def load_arguments(name):
    categories = torchvision.models.get_model_weights(name).DEFAULT.meta["categories"]
    given_arguments = ARGUMENTS.get(name, "")
    return f"{given_arguments}{'&' if given_arguments else '?'}num_classes={len(categories)}{image_size(name)}"


def image_size(name):
    """Vision transformers are built for one size of image."""
    size = torchvision.models.get_model_weights(name).DEFAULT.transforms()
    return f"&image_size={size.crop_size[0]}" if name.startswith("vit_") else ""


def published_for(name, arguments):
    meta = torchvision.models.get_model_weights(name).DEFAULT.meta
    return round(meta["_ops"], 3), meta["num_params"]


@pytest.mark.parametrize(
    "name", ["resnet18", "mobilenet_v2", "densenet121", "swin_v2_t", "vit_b_32", "shufflenet_v2_x0_5", "inception_v3"]
)
def test_torchs_own_counter_agrees(name):
    graph = graph_of_named(name)
    with torch.device("meta"):
        module = torchvision.models.get_model(name, weights=None).eval()
        image = torch.empty(graph.inputs[0].shape)
    fused = torch.backends.mha.get_fastpath_enabled()
    # Left on, torch's counter sees 11.27 of ViT-B/16's 17.56 G.
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            module(image)
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
    assert 2 * analyze_graph(graph).totals.macs == counter.get_total_flops()


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_large", "vit_b_16", "swin_t", "efficientnet_b0"])
def test_shapes_by_our_own_rules_are_torchs(name):
    for node in graph_of_named(name).nodes:
        # A gather by several indices and a move have no rule of their own: they are told their shapes.
        if isinstance(node.op, (Gather, Move)):
            continue
        ours = node.op.output_shapes(tuple(operand.shape for operand in node.operands))
        assert ours[0] == node.outputs[0].shape, node.name
    assert any(isinstance(node.op, (AdaptivePool, Reduce)) for node in graph_of_named(name).nodes) or name == "vit_b_16"


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_a_module_with_values_counts_as_one_without(name):
    real = torchvision.models.get_model(name, weights=None)
    live = graph_of(real, ((1, 3, 224, 224),))
    built = graph_of_named(name)
    assert live.nodes == built.nodes
    assert live.weights == built.weights
    assert not live.notes


@st.composite
def small_cnns(draw):
    channels, layers = 2, []
    for _ in range(draw(st.integers(1, 3))):
        groups = draw(st.sampled_from([1, 2]))
        out = 2 * draw(st.integers(1, 4))
        kernel = draw(st.sampled_from([1, 3]))
        layers += [
            nn.Conv2d(channels, out, kernel, draw(st.integers(1, 2)), kernel // 2, groups=groups),
            draw(st.sampled_from([nn.ReLU(), nn.BatchNorm2d(out), nn.Hardswish(inplace=True)])),
        ]
        channels = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 3))


@settings(max_examples=25, deadline=None)
@given(module=small_cnns(), batch=st.integers(2, 5), side=st.integers(4, 9))
def test_work_is_linear_in_the_batch(module, batch, side):
    one = analyze_graph(graph_of(module, ((1, 2, side, side),))).totals
    many = analyze_graph(graph_of(module, ((batch, 2, side, side),))).totals
    assert (many.macs, many.other_ops) == (batch * one.macs, batch * one.other_ops)
    assert many.params == one.params
    assert many.activation_bytes == batch * one.activation_bytes


def test_the_input_size_of_a_request_is_the_one_that_runs():
    graph = load(Request(target="torchvision:resnet18", inputs=(InputSpec(shape=(2, 3, 64, 64)),)))
    assert graph.nodes[0].outputs[0].shape == (2, 64, 32, 32)


def test_a_residual_block_by_hand():
    totals = analyze_graph(graph_of(Residual(), ((1, 4, 8, 8),))).totals
    assert totals.macs == 64 * 8 * 9 * 4 + 64 * 8 * 9 * 8
    assert totals.other_ops == 64 * 8 * (2 + 1 + 1 + 1)
    assert totals.params == 8 * 4 * 9 + 2 * 8 + 8 * 8 * 9 + 8
