"""The largest rank that still pays, against trying every rank."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcost.alternatives import (
    Bottleneck,
    BreakEven,
    ChannelLowRank,
    Cp,
    DepthwiseSeparable,
    Gsvd,
    NotApplicable,
    RankedAlternative,
    SpatialFactorized,
    Stacked,
    Standard,
    Tucker2,
    break_even,
    compare_graph,
    convolution,
)
from convcost.graph import Node, Role, Weight
from tests.alternatives.layers import conv, graph_of, layer_of, layers, transposed

RANKED: tuple[RankedAlternative, ...] = (
    SpatialFactorized(),
    SpatialFactorized(order="hv", rank=3),
    DepthwiseSeparable(),
    DepthwiseSeparable(order="pw_dw"),
    ChannelLowRank(),
    ChannelLowRank(order="pw_conv"),
    Bottleneck(),
    Tucker2(),
    Cp(),
    Gsvd(groups=2),
    Stacked(),
)


def tried(layer: Node, alternative: RankedAlternative) -> BreakEven | None:
    """By trying every rank from the smallest, until both counts exceed the layer's."""
    op = convolution(layer)
    assert op is not None
    step, ranks = alternative.rank_step(op), {"macs": 0, "params": 0}
    limits = {"macs": layer.cost.macs, "params": sum(weight.numel for weight in layer.weights)}
    rank = step
    while True:
        nodes = alternative.at_rank(rank).rewrite(layer, op)
        if isinstance(nodes, NotApplicable):
            return None
        costs = {
            "macs": sum(node.cost.macs for node in nodes),
            "params": sum(weight.numel for node in nodes for weight in node.weights),
        }
        fitting = [key for key, cost in costs.items() if cost <= limits[key]]
        ranks.update(dict.fromkeys(fitting, rank))
        if not fitting:
            return BreakEven(**ranks)
        rank += step


@pytest.mark.parametrize("alternative", RANKED, ids=lambda each: each.name)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_break_even_rank_is_the_last_of_all_ranks_that_pays(
    alternative: RankedAlternative, data: st.DataObject
) -> None:
    axes = 2 if isinstance(alternative, SpatialFactorized) else None
    layer = data.draw(layers(axes=axes, kernels=(1, 5) if isinstance(alternative, Stacked) else ()))
    op = convolution(layer)
    assert op is not None
    found = break_even(layer, op, alternative)
    assert (None if isinstance(found, NotApplicable) else found) == tried(layer, alternative)


@pytest.mark.parametrize("rank", [None, 32, 9999])
def test_the_spatial_split_of_a_published_layer_pays_up_to_rank_768(rank: int | None) -> None:
    op = conv(512, 512, (3, 3), pads=1)
    found = break_even(layer_of(op, (14, 14)), op, SpatialFactorized(rank=rank))
    assert found == BreakEven(macs=768, params=768)


def test_macs_and_parameters_break_even_apart_when_a_stride_leaves_a_stage_at_full_resolution() -> None:
    op = conv(64, 128, (3, 3), stride=2, pads=1)
    found = break_even(layer_of(op, (56, 56)), op, SpatialFactorized())
    # Per rank 602,112 multiplies of 57,802,752, and 576 weights of 73,728.
    assert found == BreakEven(macs=96, params=128)


def test_the_map_that_is_counted_moves_the_break_even() -> None:
    op = conv(64, 128, (3, 3), stride=2, pads=1)
    layer = layer_of(op, (56, 56))
    # At input maps: 3·56·56·64 + 3·28·56·128 per rank, of 9·64·128·56·56.
    assert break_even(layer, op, SpatialFactorized(), df="input") == BreakEven(macs=192, params=128)
    comparison = compare_graph(graph_of([layer]), [SpatialFactorized()], df="input")
    assert comparison.layers[0].candidates[0].break_even == BreakEven(macs=192, params=128)


def test_ranks_of_a_grouped_layer_are_multiples_of_its_groups() -> None:
    op = conv(12, 12, (3, 3), pads=1, groups=4)
    found = break_even(layer_of(op, (6, 6)), op, SpatialFactorized())
    assert found == BreakEven(macs=16, params=16)


def test_a_form_dearer_at_every_rank_breaks_even_at_none() -> None:
    thin = conv(1, 1, (3, 3), pads=1)
    assert break_even(layer_of(thin, (6, 6)), thin, Bottleneck()) == BreakEven(macs=0, params=0)


def test_a_kernel_that_is_not_learnable_has_no_break_even_in_parameters() -> None:
    op = conv(8, 8, (3, 3), pads=1)
    layer = layer_of(op, (6, 6), weight=Weight(name="blur", shape=op.weight_shape, role=Role.BUFFER))
    assert break_even(layer, op, SpatialFactorized()) == BreakEven(macs=12, params=None)


def test_transposed_layers_break_even_too() -> None:
    op = transposed(conv(8, 8, (4, 4), stride=2, pads=1))
    found = break_even(layer_of(op, (6, 6)), op, SpatialFactorized())
    # Per rank (6·6·8·4 + 12·6·8·4) multiplies of 6·6·8·8·16.
    assert found == BreakEven(macs=10, params=16)


def test_a_comparison_carries_the_break_even_of_ranked_families_only() -> None:
    op = conv(512, 512, (3, 3), pads=1)
    comparison = compare_graph(graph_of([layer_of(op, (14, 14))]), [Standard(), SpatialFactorized(), Stacked()])
    standard, spatial, stacked = comparison.layers[0].candidates
    assert standard.break_even is None
    assert spatial.break_even == BreakEven(macs=768, params=768)
    assert stacked.break_even is None
    assert spatial.to_json(standard, axes=2)["break_even"] == {"macs": 768, "params": 768}
