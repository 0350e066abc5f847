"""What each family takes when it is told nothing, where it does not apply, and why."""

from __future__ import annotations

from typing import Any

import pytest

from convcost.alternatives import (
    Alternative,
    Bottleneck,
    ChannelLowRank,
    Cp,
    DepthwiseSeparable,
    Fft,
    Grouped,
    Gsvd,
    NotApplicable,
    SpatialFactorized,
    SpatialSeparable,
    Stacked,
    Tucker2,
    Winograd,
    compare_graph,
)
from convcost.graph import Node
from convcost.graph.ops import Conv, Move
from tests.alternatives.layers import conv, graph_of, layer_of, transposed

SQUARE = conv(12, 20, (3, 3), pads=1)


def stages(alternative: Alternative, op: Any, spatial: tuple[int, ...] = (9, 9)) -> tuple[Node, ...]:
    nodes = alternative.rewrite(layer_of(op, spatial), op)
    assert not isinstance(nodes, NotApplicable), nodes
    return nodes


def channels(nodes: tuple[Node, ...]) -> list[tuple[int, int, int]]:
    return [(op.in_channels, op.out_channels, op.groups) for op in (node.op for node in nodes) if isinstance(op, Conv)]


@pytest.mark.parametrize(
    ("alternative", "expected"),
    [
        (SpatialFactorized(), [(12, 20, 1), (20, 20, 1)]),
        (SpatialFactorized(mid="in"), [(12, 12, 1), (12, 20, 1)]),
        (DepthwiseSeparable(multiplier=2), [(12, 24, 12), (24, 20, 1)]),
        (DepthwiseSeparable(multiplier=2, order="pw_dw"), [(12, 40, 1), (40, 20, 20)]),
        (Grouped(groups=4), [(12, 20, 4)]),
        (ChannelLowRank(), [(12, 10, 1), (10, 20, 1)]),
        (ChannelLowRank(order="pw_conv"), [(12, 6, 1), (6, 20, 1)]),
        (Bottleneck(), [(12, 5, 1), (5, 5, 1), (5, 20, 1)]),
        (Tucker2(), [(12, 6, 1), (6, 10, 1), (10, 20, 1)]),
        (Tucker2(rank_in=3), [(12, 3, 1), (3, 10, 1), (10, 20, 1)]),
        (Cp(), [(12, 20, 1), (20, 20, 20), (20, 20, 20), (20, 20, 1)]),
        (Gsvd(), [(12, 20, 4), (20, 20, 1)]),
        (Gsvd(groups=4, order="pw_conv"), [(12, 12, 1), (12, 20, 4)]),
    ],
)
def test_channels_of_every_stage(alternative: Alternative, expected: list[tuple[int, int, int]]) -> None:
    assert channels(stages(alternative, SQUARE)) == expected


def test_default_ranks_of_a_grouped_layer_are_rounded_up_to_whole_groups() -> None:
    op = conv(12, 20, (3, 3), pads=1, groups=4)
    assert channels(stages(ChannelLowRank(), op)) == [(12, 12, 4), (12, 20, 4)]
    assert channels(stages(Bottleneck(), op)) == [(12, 8, 4), (8, 8, 4), (8, 20, 4)]


@pytest.mark.parametrize(
    ("alternative", "op", "reason"),
    [
        (SpatialFactorized(rank=5), conv(4, 4, (3, 3), groups=2), "rank 5 is not a multiple of the layer's 2 groups"),
        (SpatialFactorized(), conv(4, 4, (1, 1)), "a 1×1 kernel is a point"),
        (SpatialFactorized(), conv(4, 4, (1, 3)), "a 1×3 kernel is already one-dimensional"),
        (SpatialSeparable(), conv(4, 4, (3, 3, 3)), "splits kernels of two axes, not 3"),
        (DepthwiseSeparable(), conv(4, 4, (1, 1)), "a 1×1 kernel is already pointwise"),
        (DepthwiseSeparable(), conv(4, 8, (3, 3), groups=4), "already depthwise"),
        (Grouped(groups=3), conv(4, 6, (3, 3)), "3 groups do not divide 4 input and 6 output channels"),
        (Grouped(groups=4), conv(8, 8, (3, 3), groups=4), "4 groups do not refine the 4 it has"),
        (Grouped(groups=6), conv(24, 24, (3, 3), groups=4), "6 groups do not refine the 4 it has"),
        (Grouped(groups="all"), conv(3, 7, (3, 3)), "3 input and 7 output channels have no more groups in common"),
        (ChannelLowRank(), conv(4, 4, (3, 3), groups=4), "a depthwise kernel mixes no channels"),
        (ChannelLowRank(rank=3), conv(4, 4, (3, 3), groups=2), "rank 3 is not a multiple of the layer's 2 groups"),
        (Bottleneck(), conv(4, 4, (1, 1)), "a 1×1 kernel leaves nothing between two others"),
        (Bottleneck(), conv(4, 4, (3, 3), groups=4), "a depthwise kernel mixes no channels"),
        (Tucker2(), conv(4, 4, (1, 1)), "a 1×1 kernel is a matrix: channel_lowrank factors it"),
        (Tucker2(rank_out=3), conv(4, 4, (3, 3), groups=2), "rank 3 is not a multiple of the layer's 2 groups"),
        (Cp(), conv(4, 4, (1, 1)), "a 1×1 kernel is a matrix: channel_lowrank factors it"),
        (Gsvd(groups=3), conv(4, 6, (3, 3)), "3 groups do not divide 4 input channels"),
        (Gsvd(groups=3, order="pw_conv"), conv(3, 4, (3, 3)), "3 groups do not divide 4 output channels"),
        (Gsvd(groups=3), conv(12, 12, (3, 3), groups=2), "3 groups do not refine the 2 it has"),
        (Stacked(), conv(4, 4, (3, 3)), "a reach of 3×3 needs no stack"),
        (Stacked(), conv(4, 4, (4, 4)), "a reach of 4×4 needs no stack"),
        (Stacked(), conv(4, 4, (6, 6)), "3×3 convolutions do not stack up to a reach of 6×6"),
        (Stacked(), conv(4, 4, (5, 7)), "3×3 convolutions do not stack up to a reach of 5×7"),
        (Stacked(), conv(4, 4, (3, 3), dilation=36, pads=36), "a reach of 73×73 takes 36 convolutions"),
        (Stacked(), transposed(conv(4, 4, (3, 3), dilation=2), output_padding=(1, 1)), "its output padding is not"),
        (Winograd(), conv(4, 4, (3, 3), stride=2), "for stride 1 and dilation 1 only"),
        (Winograd(), conv(4, 4, (3, 3), dilation=2), "for stride 1 and dilation 1 only"),
        (Winograd(), conv(4, 4, (5, 5)), "F(m, 3) is for kernels of side 3"),
        (Winograd(), conv(4, 4, (1, 1)), "F(m, 3) is for kernels of side 3"),
        (Winograd(), transposed(conv(4, 4, (3, 3))), "for convolutions that are not transposed"),
        (Fft(), conv(4, 4, (3, 3), stride=2), "for stride 1 and dilation 1 only"),
        (Fft(), conv(4, 4, (1, 1)), "a 1×1 kernel is a point in space: there is nothing to transform"),
        (Fft(size=12), conv(4, 4, (3, 3)), "12 is not a power of two that holds a kernel of 3"),
        (Fft(size=2), conv(4, 4, (3, 3)), "2 is not a power of two that holds a kernel of 3"),
        (Fft(), transposed(conv(4, 4, (3, 3))), "for convolutions that are not transposed"),
    ],
)
def test_where_a_family_does_not_apply_it_says_why(alternative: Alternative, op: Any, reason: str) -> None:
    found = alternative.rewrite(layer_of(op, (9,) * len(op.kernel)), op)
    assert isinstance(found, NotApplicable)
    assert found.reason.startswith(reason)


def test_all_groups_stand_for_every_number_that_any_chosen_layer_allows() -> None:
    layers = [
        layer_of(conv(8, 12, (3, 3)), (9, 9), name="a"),
        layer_of(conv(6, 12, (3, 3), groups=2), (9, 9), name="b"),
    ]
    comparison = compare_graph(graph_of(layers), [Grouped(groups="all", shuffle=True)])
    assert [total.alternative for total in comparison.totals] == [
        Grouped(groups=groups, shuffle=True) for groups in (2, 4, 6)
    ]
    assert [total.replaced_layers for total in comparison.totals] == [1, 1, 1]
    nothing = compare_graph(graph_of([layer_of(conv(3, 7, (3, 3)), (9, 9))]), [Grouped(groups="all")])
    assert nothing.layers[0].candidates[0].reason is not None


def test_a_shuffle_is_a_stage_that_moves_every_byte_and_multiplies_nothing() -> None:
    grouped, shuffle = stages(Grouped(groups=4, shuffle=True), SQUARE)
    assert isinstance(shuffle.op, Move)
    assert shuffle.cost.macs == 0
    assert shuffle.cost.bytes_moved == 2 * 20 * 9 * 9 * 4
    assert grouped.outputs[0].buffer != shuffle.outputs[0].buffer


def test_cp_filters_along_an_axis_that_only_strides_or_pads() -> None:
    names = [node.name.rpartition("/")[2] for node in stages(Cp(), conv(4, 4, (1, 3), stride=(2, 1)))]
    assert names == ["reduce", "vertical", "horizontal", "expand"]
    names = [node.name.rpartition("/")[2] for node in stages(Cp(), conv(4, 4, (1, 3)))]
    assert names == ["reduce", "horizontal", "expand"]


def test_a_stack_strides_last_and_a_transposed_one_first() -> None:
    op = conv(4, 8, (5, 5), stride=2, pads=2)
    assert [node.op.stride for node in stages(Stacked(), op)] == [(1, 1), (2, 2)]  # type: ignore[attr-defined]
    assert [node.op.stride for node in stages(Stacked(), transposed(op))] == [(2, 2), (1, 1)]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("alternative", "label"),
    [
        (ChannelLowRank(), "channel-lowrank R=10"),
        (ChannelLowRank(order="pw_conv"), "channel-lowrank R=6 pw-conv"),
        (Bottleneck(), "bottleneck R=5"),
        (Tucker2(), "tucker2 R=6,10"),
        (Cp(), "cp R=20"),
        (Gsvd(), "gsvd G=4 d=5"),
        (Grouped(groups=2, shuffle=True), "grouped g=2 shuffled"),
        (Winograd(tile=4), "winograd F(4,3)"),
        (Fft(), "fft"),
        (Fft(size=16), "fft S=16"),
    ],
)
def test_labels_name_what_a_reader_has_to_know(alternative: Alternative, label: str) -> None:
    assert alternative.label(SQUARE) == label


def test_a_stack_says_how_many_it_takes() -> None:
    assert Stacked().label(conv(4, 8, (7, 7))) == "stacked 3× 3×3 R=8"


@pytest.mark.parametrize("pads", [((3, 1),), ((1, 3),), ((4, 1),)])
def test_uneven_padding_is_shared_so_that_no_map_vanishes_between_the_stages(pads: Any) -> None:
    op = conv(1, 1, (5,), pads=pads)
    sizes = [node.outputs[0].shape[-1] for node in stages(Stacked(), op, (1,))]
    assert min(sizes) >= 1
    cut = transposed(conv(1, 1, (5,), pads=((3, 1),)))
    assert [node.outputs[0].shape[-1] for node in stages(Stacked(), cut, (1,))] == [2, 1]
