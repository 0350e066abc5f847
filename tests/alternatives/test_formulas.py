"""The textbook formula shown beside a count is the count, whenever the stride is 1 and the padding keeps the map."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcost.alternatives import (
    Alternative,
    AnyConv,
    Bottleneck,
    ChannelLowRank,
    Cp,
    DepthwiseSeparable,
    Fft,
    Grouped,
    Gsvd,
    SpatialFactorized,
    SpatialSeparable,
    Stacked,
    Standard,
    Tucker2,
    Winograd,
    compare_graph,
)
from convcost.graph.ops import same_padding
from tests.alternatives.formulas import evaluate
from tests.alternatives.layers import conv, graph_of, layer_of, transposed

CASES: tuple[tuple[Alternative, dict[str, int]], ...] = (
    (Standard(), {}),
    (SpatialSeparable(), {}),
    (SpatialFactorized(rank=6), {"R": 6}),
    (SpatialFactorized(rank=12, order="hv"), {"R": 12}),
    (DepthwiseSeparable(), {}),
    (DepthwiseSeparable(multiplier=3), {"T": 3}),
    (DepthwiseSeparable(order="pw_dw"), {}),
    (DepthwiseSeparable(multiplier=2, order="pw_dw"), {"T": 2}),
    (Grouped(groups=6), {"g": 6}),
    (Grouped(groups=6, shuffle=True), {"g": 6}),
    (ChannelLowRank(rank=6), {"R": 6}),
    (ChannelLowRank(rank=12, order="pw_conv"), {"R": 12}),
    (Bottleneck(rank=6), {"R": 6}),
    (Tucker2(rank_in=6, rank_out=12), {"R_M": 6, "R_N": 12}),
    (Cp(rank=18), {"R": 18}),
    (Gsvd(groups=6, rank=2), {"G": 6, "d": 2}),
    (Gsvd(groups=6, rank=3, order="pw_conv"), {"G": 6, "d": 3}),
    (Stacked(rank=6), {"R": 6}),
    (Winograd(), {"m": 2}),
    (Winograd(tile=6), {"m": 6}),
    (Fft(size=8), {"S": 8}),
)


@st.composite
def same_size_layers(draw: st.DrawFn) -> tuple[AnyConv, tuple[int, ...]]:
    """Stride 1 and "same" padding, on a map whose sides are often equal."""
    axes = draw(st.integers(1, 3))
    spatial = draw(st.tuples(*[st.integers(3, 9)] * axes) | st.integers(3, 9).map(lambda side: (side,) * axes))
    groups = draw(st.sampled_from([1, 2, 3]))
    kernel = draw(st.tuples(*[st.integers(1, 5)] * axes) | st.sampled_from([3, 5]).map(lambda size: (size,) * axes))
    dilation = tuple(draw(st.integers(1, 2)) for _ in range(axes))
    pads = [same_padding(side, size, 1, spread) for side, size, spread in zip(spatial, kernel, dilation, strict=True)]
    channels = st.sampled_from([6, 12])
    op = conv(draw(channels), draw(channels), kernel, pads=pads, dilation=dilation, groups=groups)
    return draw(st.sampled_from([op, transposed(op)])), spatial


@pytest.mark.parametrize(("alternative", "letters"), CASES, ids=[case[0].name for case in CASES])
@settings(deadline=None)
@given(layer=same_size_layers(), batch=st.sampled_from([None, 1, 3]))
def test_the_formula_is_the_count(
    alternative: Alternative, letters: dict[str, int], layer: tuple[AnyConv, tuple[int, ...]], batch: int | None
) -> None:
    op, spatial = layer
    comparison = compare_graph(graph_of([layer_of(op, spatial, batch=batch)]), [alternative])
    (candidate,) = comparison.layers[0].candidates
    if candidate.is_applicable:
        assert candidate.cost.macs == (batch or 1) * evaluate(candidate.formula, op, spatial, **letters)


@pytest.mark.parametrize(
    ("alternative", "kernel", "text"),
    [
        (Standard(), (3, 3), "D_K·D_K·M·N·D_F·D_F"),
        (SpatialSeparable(), (3, 3), "(D_K + D_K)·M·N·D_F·D_F"),
        (SpatialFactorized(), (3, 3), "D_K·R·(M + N)·D_F·D_F"),
        (SpatialFactorized(), (3, 5), "(K_H·M + K_W·N)·R·D_F·D_F"),
        (SpatialFactorized(order="hv"), (3, 5), "(K_W·M + K_H·N)·R·D_F·D_F"),
        (DepthwiseSeparable(), (3, 3), "(D_K·D_K + N)·M·D_F·D_F"),
        (DepthwiseSeparable(order="pw_dw"), (3, 3), "(D_K·D_K + M)·N·D_F·D_F"),
        (Grouped(groups=4), (3, 3), "D_K·D_K·M·N·D_F·D_F / g"),
        (ChannelLowRank(), (3, 3), "(D_K·D_K·M + N)·R·D_F·D_F"),
        (ChannelLowRank(order="pw_conv"), (3, 3), "(M + D_K·D_K·N)·R·D_F·D_F"),
        (Bottleneck(), (3, 3), "(M + D_K·D_K·R + N)·R·D_F·D_F"),
        (Tucker2(), (3, 3), "(M·R_M + D_K·D_K·R_M·R_N + N·R_N)·D_F·D_F"),
        (Cp(), (3, 3), "(M + D_K + D_K + N)·R·D_F·D_F"),
        (Gsvd(), (3, 3), "(D_K·D_K·M + G·N)·d·D_F·D_F"),
        (Stacked(), (5, 5), "3·3·(M + N)·R·D_F·D_F"),
        (Stacked(), (7, 7), "3·3·(M + R + N)·R·D_F·D_F"),
        (Winograd(), (3, 3), "(m + D_K − 1)·(m + D_K − 1)·M·N·⌈D_F / m⌉·⌈D_F / m⌉"),
        (Fft(), (3, 3), "4·S·(S / 2 + 1)·M·N·⌈D_F / (S − D_K + 1)⌉·⌈D_F / (S − D_K + 1)⌉"),
        (Standard(), (7,), "D_K·M·N·D_F"),
        (Standard(), (1, 3, 3), "K_T·K_H·K_W·M·N·D_F·D_F·D_F"),
    ],
)
def test_formulas_read_like_the_textbook(alternative: Alternative, kernel: tuple[int, ...], text: str) -> None:
    assert alternative.formula(conv(8, 8, kernel)) == text
