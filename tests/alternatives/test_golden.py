"""Published figures and the worked examples of the conventions, exactly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from convcost.alternatives import (
    Alternative,
    Candidate,
    ChannelLowRank,
    CountedMap,
    DepthwiseSeparable,
    Grouped,
    Gsvd,
    SpatialFactorized,
    SpatialSeparable,
    Stacked,
    Standard,
    Winograd,
    compare_graph,
)
from convcost.graph import Graph
from tests.alternatives.layers import conv, graph_of, layer_of, linear_of

PUBLISHED: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data" / "published.json").read_text())
WHOLE_MODEL: dict[str, Alternative] = {
    "spatial": SpatialFactorized(),
    "ds": DepthwiseSeparable(),
    "g2": Grouped(groups=2),
    "g4": Grouped(groups=4),
    "g8": Grouped(groups=8),
}


def vgg16() -> Graph:
    """Simonyan & Zisserman 2015, table 1, column D, at 224×224."""
    nodes = []
    channels = 3
    for block, (width, count, side) in enumerate(
        [(64, 2, 224), (128, 2, 112), (256, 3, 56), (512, 3, 28), (512, 3, 14)], start=1
    ):
        for number in range(1, count + 1):
            op = conv(channels, width, (3, 3), pads=1)
            nodes.append(layer_of(op, (side, side), name=f"conv{block}_{number}", bias=True))
            channels = width
    fully_connected = [(512 * 7 * 7, 4096), (4096, 4096), (4096, 1000)]
    return graph_of(nodes + [linear_of(f"fc{6 + i}", *sizes) for i, sizes in enumerate(fully_connected)])


def resnet18() -> Graph:
    """He et al. 2016, table 1, without BatchNorm: projections where the stride or the width changes."""
    nodes = [layer_of(conv(3, 64, (7, 7), stride=2, pads=3), (224, 224), name="conv1")]
    channels = 64
    for stage, (width, side) in enumerate([(64, 56), (128, 28), (256, 14), (512, 7)], start=1):
        for block in range(2):
            stride = 2 if block == 0 and stage > 1 else 1
            at, name = (side * stride, side * stride), f"layer{stage}.{block}"
            nodes.append(layer_of(conv(channels, width, (3, 3), stride=stride, pads=1), at, name=f"{name}.conv1"))
            nodes.append(layer_of(conv(width, width, (3, 3), pads=1), (side, side), name=f"{name}.conv2"))
            if stride == 2:
                nodes.append(layer_of(conv(channels, width, (1, 1), stride=2), at, name=f"{name}.downsample"))
            channels = width
    return graph_of([*nodes, linear_of("fc", 512, 1000)])


NETWORKS = {"vgg16": vgg16(), "resnet18": resnet18()}


def one(op: Any, spatial: tuple[int, ...], alternative: Alternative, df: CountedMap = "output") -> Candidate:
    comparison = compare_graph(graph_of([layer_of(op, spatial)]), [alternative], df=df)
    (candidate,) = comparison.layers[0].candidates
    assert candidate.reason is None
    return candidate


def stages(candidate: Candidate) -> list[int]:
    return [stage.cost.macs for stage in candidate.stages]


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("column", WHOLE_MODEL)
def test_whole_model_totals_are_the_published_ones(network: str, column: str) -> None:
    comparison = compare_graph(NETWORKS[network], [Standard(), WHOLE_MODEL[column]], min_kernel=2)
    standard, alternative = comparison.totals
    assert standard.macs == PUBLISHED[network]["macs"]
    assert alternative.macs == PUBLISHED[network][column]


def test_vgg16_stores_the_published_parameters() -> None:
    (standard,) = compare_graph(NETWORKS["vgg16"], [Standard()]).totals
    assert standard.params == PUBLISHED["vgg16"]["params"]


@pytest.mark.parametrize(
    ("form", "alternative"),
    [("dense", Standard()), ("ds", DepthwiseSeparable()), ("spatial_R512", SpatialFactorized())],
)
def test_a_3x3_layer_of_512_channels_at_14x14(form: str, alternative: Alternative) -> None:
    candidate = one(conv(512, 512, (3, 3), pads=1), (14, 14), alternative)
    assert [candidate.cost.macs, candidate.params] == PUBLISHED["layer_3x3_512_14"][form]


@pytest.mark.parametrize("tile", [2, 4, 6])
def test_winograds_effective_multiplies_over_the_convolutions_of_vgg16(tile: Any) -> None:
    comparison = compare_graph(NETWORKS["vgg16"], [Winograd(tile=tile)])
    multiplies = sum(layer.candidates[0].cost.macs for layer in comparison.layers)
    assert multiplies == PUBLISHED["vgg16"]["winograd"][str(tile)]
    fully_connected = PUBLISHED["vgg16"]["macs"] - PUBLISHED["vgg16"]["conv_macs"]
    assert comparison.totals[0].macs == multiplies + fully_connected
    assert comparison.totals[0].params == PUBLISHED["vgg16"]["params"]


def test_a_published_layer_breaks_even_at_its_published_rank() -> None:
    candidate = one(conv(512, 512, (3, 3), pads=1), (14, 14), SpatialFactorized())
    assert candidate.break_even is not None
    assert candidate.break_even.macs == PUBLISHED["layer_3x3_512_14"]["break_even"]


@pytest.mark.parametrize(("side", "saved"), [(5, "28 %"), (7, "45 %")])
def test_stacks_of_3x3_save_what_inception_v3_says(side: int, saved: str) -> None:
    op = conv(64, 64, (side, side), pads=side // 2)
    stacked, standard = one(op, (28, 28), Stacked()).cost.macs, one(op, (28, 28), Standard()).cost.macs
    assert f"{round(100 * (1 - stacked / standard))} %" == saved


def test_two_dense_3x3_reach_as_far_as_one_dilated_by_2_at_twice_the_cost() -> None:
    op = conv(64, 64, (3, 3), pads=2, dilation=2)
    stacked = one(op, (28, 28), Stacked())
    assert stacked.cost.macs == 2 * one(op, (28, 28), Standard()).cost.macs
    assert [stage.node.op.dilation for stage in stacked.stages] == [(1, 1), (1, 1)]  # type: ignore[attr-defined]


@pytest.mark.parametrize("multiplier", [1, 3])
def test_group_svd_contains_the_two_forms_between_which_it_lies(multiplier: int) -> None:
    op = conv(12, 20, (3, 3), stride=2, pads=1)
    for order, other in (("conv_pw", "dw_pw"), ("pw_conv", "pw_dw")):
        groups = 12 if order == "conv_pw" else 20
        decoupled = one(op, (9, 9), Gsvd(groups=groups, rank=multiplier, order=order))  # type: ignore[arg-type]
        separable = one(op, (9, 9), DepthwiseSeparable(multiplier=multiplier, order=other))  # type: ignore[arg-type]
        assert (decoupled.cost, decoupled.params) == (separable.cost, separable.params)
        whole = one(op, (9, 9), Gsvd(groups=1, rank=multiplier, order=order))  # type: ignore[arg-type]
        low_rank = one(op, (9, 9), ChannelLowRank(rank=multiplier, order=order))  # type: ignore[arg-type]
        assert (whole.cost, whole.params) == (low_rank.cost, low_rank.params)


@pytest.mark.parametrize("order", ["dw_pw", "pw_dw"])
@pytest.mark.parametrize("multiplier", [1, 2, 5])
def test_a_sum_of_t_depthwise_separable_terms_costs_t_times_one(order: Any, multiplier: int) -> None:
    op = conv(64, 128, (3, 3), stride=2, pads=1)
    candidate = one(op, (56, 56), DepthwiseSeparable(order=order, multiplier=multiplier))
    per_term = PUBLISHED["nd_per_T"]["resnet18_64_128_s2_56"][order.replace("_", "")]
    assert candidate.cost.macs == multiplier * per_term
    assert len(candidate.stages) == 2


@pytest.mark.parametrize(
    ("layer", "op", "side"),
    [
        ("resnet18_64_128_s2_56", conv(64, 128, (3, 3), stride=2, pads=1), 56),
        ("valid3x3_32_32_149", conv(32, 32, (3, 3)), 149),
        ("fc6_7x7_valid_512_4096", conv(512, 4096, (7, 7)), 7),
    ],
)
@pytest.mark.parametrize("rank", [1, 24])
def test_spatial_factorisation_costs_so_much_per_rank(layer: str, op: Any, side: int, rank: int) -> None:
    candidate = one(op, (side, side), SpatialFactorized(rank=rank))
    assert candidate.cost.macs == rank * PUBLISHED["spatial_factorized_macs_per_rank"][layer]


def test_one_kernel_split_in_space_multiplies_6_times_instead_of_9() -> None:
    op = conv(1, 1, (3, 3))
    assert one(op, (3, 3), Standard()).cost.macs == 9
    assert stages(one(op, (5, 3), SpatialSeparable())) == [3 * 3 * 3, 3 * 3]
    assert sum(stages(one(conv(1, 1, (3, 3), pads=1), (10, 10), SpatialSeparable()))) == 6 * 100


@pytest.mark.parametrize(
    ("op", "side", "standard", "separable"),
    [
        (conv(3, 256, (5, 5)), 12, 1_228_800, [4_800, 49_152]),
        (conv(3, 128, (3, 3)), 7, 86_400, [675, 9_600]),
    ],
)
def test_worked_examples_without_padding(op: Any, side: int, standard: int, separable: list[int]) -> None:
    assert one(op, (side, side), Standard()).cost.macs == standard
    assert stages(one(op, (side, side), DepthwiseSeparable())) == separable


def test_a_text_that_counts_at_the_input_map() -> None:
    op = conv(3, 256, (3, 3))
    assert one(op, (64, 64), Standard(), df="input").cost.macs == 28_311_552
    candidate = one(op, (64, 64), DepthwiseSeparable(), df="input")
    assert stages(candidate) == [110_592, 2_952_192]
    assert round(28_311_552 / candidate.cost.macs, 2) == 9.24


def test_depthwise_then_pointwise_with_biases_stores_8960_parameters() -> None:
    depthwise = layer_of(conv(64, 64, (3, 3), pads=1, groups=64), (8, 8), name="depthwise", bias=True)
    pointwise = layer_of(conv(64, 128, (1, 1)), (8, 8), name="pointwise", bias=True)
    (total,) = compare_graph(graph_of([depthwise, pointwise]), [Standard()]).totals
    assert total.params == 640 + 8_320


def test_the_spatial_split_with_as_many_maps_as_outputs_saves_nothing_at_twice_the_width() -> None:
    op = conv(64, 128, (3, 3), pads=1)
    assert one(op, (8, 8), SpatialFactorized()).cost.macs == one(op, (8, 8), Standard()).cost.macs


def test_the_spatial_split_costs_a_third_more_at_stride_2_and_twice_the_width() -> None:
    op = conv(64, 128, (3, 3), stride=2, pads=1)
    assert 3 * one(op, (8, 8), SpatialFactorized()).cost.macs == 4 * one(op, (8, 8), Standard()).cost.macs


def test_the_example_of_the_command_line_page() -> None:
    comparison = compare_graph(
        graph_of([layer_of(conv(128, 128, (3, 3), pads=1), (28, 28))]),
        [Standard(), SpatialSeparable(), SpatialFactorized(), DepthwiseSeparable(), Grouped(groups=4)],
    )
    found = [(c.cost.macs, c.params, c.activation_bytes) for c in comparison.layers[0].candidates]
    map_bytes = 128 * 28 * 28 * 4
    assert found == [
        (115_605_504, 147_456, map_bytes),
        (77_070_336, 98_304, 129 * map_bytes),
        (77_070_336, 98_304, 2 * map_bytes),
        (13_748_224, 17_536, 2 * map_bytes),
        (28_901_376, 36_864, map_bytes),
    ]
