"""What one of several devices holds, does and receives, worked out by hand."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcost.alternatives import (
    Alternative,
    ChannelLowRank,
    DepthwiseSeparable,
    DeviceShare,
    Grouped,
    Gsvd,
    LayerComparison,
    NotApplicable,
    SpatialSeparable,
    Standard,
    compare_graph,
    convolution,
    device_shares,
)
from convcost.analysis import layer_costs
from convcost.graph import Node
from tests.alternatives.layers import conv, graph_of, layer_of, layers

MAP = 8 * 6 * 6 * 4  # bytes of one image's map of 8 channels


def shares(
    alternative: Alternative, devices: int, *, op: Any = None, batch: int = 4
) -> tuple[DeviceShare, DeviceShare]:
    layer = layer_of(op or conv(8, 8, (3, 3), pads=1), (6, 6), batch=batch)
    nodes = alternative.rewrite(layer, layer.op)  # type: ignore[arg-type]
    assert not isinstance(nodes, NotApplicable)
    return device_shares(layer_costs(nodes), devices)


def test_data_parallel_splits_the_batch_and_reduces_all_gradients_over_a_ring() -> None:
    data, _ = shares(Standard(), 4)
    assert data == DeviceShare(
        scheme="data",
        devices=4,
        macs=9 * 8 * 8 * 36,
        params=576,
        weight_bytes=2304,
        input_bytes=MAP,
        activation_bytes=MAP,
        communication="gradient all-reduce",
        communication_bytes=2 * 3 * 2304 // 4,
    )
    assert data.held_bytes == 2304 + 2 * MAP


def test_a_batch_that_does_not_divide_is_counted_on_the_busiest_device() -> None:
    data, _ = shares(Standard(), 3)
    assert data.macs == 2 * 9 * 8 * 8 * 36
    alone, _ = shares(Standard(), 4, batch=1)
    assert alone.macs == 9 * 8 * 8 * 36, "one image cannot be split"


def test_channel_parallel_makes_a_part_of_the_filters_from_the_whole_input_and_gathers_the_output() -> None:
    _, channel = shares(Standard(), 4)
    assert channel == DeviceShare(
        scheme="channel",
        devices=4,
        macs=9 * 8 * 8 * 36,
        params=144,
        weight_bytes=576,
        input_bytes=4 * MAP,
        activation_bytes=MAP,
        communication="all-gather",
        communication_bytes=3 * MAP,
    )


def test_each_device_takes_a_group_and_nothing_moves_until_the_output_is_put_together() -> None:
    _, group = shares(Grouped(groups=4), 4)
    assert group == DeviceShare(
        scheme="filter_group",
        devices=4,
        macs=9 * 8 * 8 * 36 // 4,
        params=36,
        weight_bytes=144,
        input_bytes=MAP,
        activation_bytes=MAP,
        communication="concatenation",
        communication_bytes=3 * MAP,
    )


def test_more_devices_than_groups_leave_some_idle() -> None:
    four, eight = shares(Grouped(groups=4), 4)[1], shares(Grouped(groups=4), 8)[1]
    assert (eight.macs, eight.params, eight.activation_bytes) == (four.macs, four.params, four.activation_bytes)


def test_a_pointwise_half_gathers_what_the_depthwise_half_left_in_parts() -> None:
    _, separable = shares(DepthwiseSeparable(), 4)
    assert separable.scheme == "mixed"
    assert separable.macs == 4 * 36 * (9 * 8 + 8 * 8) // 4
    assert separable.input_bytes == MAP, "the depthwise half reads its own channels"
    assert separable.communication == "all-gather"
    assert separable.communication_bytes == 3 * MAP + 3 * MAP


def test_groups_that_lie_where_they_are_needed_are_not_sent() -> None:
    op = conv(8, 8, (3, 3), pads=1, groups=4)
    _, low_rank = shares(ChannelLowRank(rank=8), 4, op=op)
    assert low_rank.communication_bytes == 3 * MAP, "only the output is put together"
    _, misfit = shares(Gsvd(groups=8, rank=1), 8, op=op)
    assert misfit.communication_bytes > 7 * MAP // 2, "eight parts do not fit four groups"


def test_a_shuffle_sends_all_but_what_a_device_keeps() -> None:
    _, plain = shares(Grouped(groups=4), 4)
    _, shuffled = shares(Grouped(groups=4, shuffle=True), 4)
    assert shuffled.communication_bytes == plain.communication_bytes + 3 * MAP // 4
    assert shuffled.communication == "exchange, concatenation"


def test_the_textbook_split_exchanges_its_many_maps() -> None:
    _, textbook = shares(SpatialSeparable(), 4)
    assert textbook.communication == "exchange, concatenation"
    assert textbook.communication_bytes == 8 * 4 * MAP * 3 // 16 + 3 * MAP


@settings(deadline=None)
@given(layer=layers(), devices=st.integers(1, 5))
def test_devices_together_do_at_least_all_the_work(layer: Node, devices: int) -> None:
    op = convolution(layer)
    assert op is not None
    for alternative in (Standard(), DepthwiseSeparable(), ChannelLowRank(), SpatialSeparable()):
        nodes = alternative.rewrite(layer, op)
        if isinstance(nodes, NotApplicable):
            continue
        costs = layer_costs(nodes)
        for share in device_shares(costs, devices):
            assert share.macs * devices >= sum(stage.cost.macs for stage in costs)
            assert share.macs <= sum(stage.cost.macs for stage in costs)
            if devices == 1:
                assert share.macs == sum(stage.cost.macs for stage in costs)
                assert share.communication_bytes == 0


def compared(devices: int | None) -> tuple[LayerComparison, ...]:
    graph = graph_of([layer_of(conv(8, 8, (3, 3), pads=1), (6, 6), name=name) for name in ("a", "b")])
    comparison = compare_graph(graph, [Standard(), Grouped(groups=2), Grouped(groups=3)], devices=devices)
    assert pickle.loads(pickle.dumps(comparison)) == comparison
    return comparison.layers


def test_a_comparison_holds_shares_when_devices_are_asked_for() -> None:
    assert all(candidate.devices == () for layer in compared(None) for candidate in layer.candidates)
    standard, grouped, inapplicable = compared(2)[0].candidates
    assert [share.scheme for share in standard.devices] == ["data", "channel"]
    assert [share.scheme for share in grouped.devices] == ["data", "filter_group"]
    assert inapplicable.devices == ()
    document = grouped.to_json(standard, axes=2)["devices"]
    assert [share["scheme"] for share in document] == ["data", "filter_group"]  # type: ignore[union-attr, index, call-overload]


def test_totals_add_up_the_layers_and_take_those_as_they_are_that_have_no_alternative() -> None:
    first = layer_of(conv(8, 8, (3, 3), pads=1), (6, 6), name="a")
    second = layer_of(conv(8, 9, (3, 3), pads=1), (6, 6), name="b")
    comparison = compare_graph(graph_of([first, second]), [Grouped(groups=2)], devices=2)
    (total,) = comparison.totals
    data, channels = total.devices
    one, other = comparison.layers
    assert channels.macs == one.candidates[0].devices[1].macs + other.standard.devices[1].macs
    assert channels.scheme == "mixed"
    assert channels.communication == "concatenation, all-gather"
    assert data.params == one.candidates[0].params + other.standard.params


@pytest.mark.parametrize("devices", [0, -1])
def test_fewer_than_one_device_is_refused(devices: int) -> None:
    from convcost.errors import UsageError

    with pytest.raises(UsageError, match="at least 1 device"):
        compared(devices)
