"""Factors put to work: the rewritten nodes run by torch, against the layer itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convcost.alternatives import (
    Alternative,
    AnyConv,
    Bottleneck,
    ChannelLowRank,
    Cp,
    DepthwiseSeparable,
    Grouped,
    Gsvd,
    NotApplicable,
    SpatialFactorized,
    SpatialSeparable,
    Standard,
    Tucker2,
)
from convcost.graph import Node
from convcost.graph.ops import Conv, Softmax
from convcost.weights.decompose import decompose
from convcost.weights.families import FAMILIES, Family, gsvd_families
from convcost.weights.layout import from_stored
from tests.alternatives.execution import apply, run
from tests.weights.models import conv2d, layer, transposed

FAMILY_LABELS = [family.label for family in FAMILIES]


def family_of(label: str, groups: int) -> Family:
    """By label; grouped low rank splits every one of a layer's groups in two."""
    known = (*FAMILIES, *gsvd_families(2 * groups))
    fitting = label.replace("G=4", f"G={2 * groups}")
    return next(family for family in known if family.label == fitting)


def smallest(label: str) -> int:
    """What the channels of each of a layer's groups must be a multiple of."""
    return 2 if label.startswith("gsvd") else 1


def random_kernel(op: AnyConv, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(op.weight_shape)


def as_run(node: Node, alternative: Alternative, kernel: np.ndarray, data: torch.Tensor) -> torch.Tensor:
    """The output of the alternative's nodes with the factors as their weights."""
    nodes = alternative.rewrite(node, node.op)
    factors = decompose(node, alternative, kernel)
    assert not isinstance(nodes, NotApplicable)
    assert not isinstance(factors, NotApplicable)
    names = [stage.operands[1].name for stage in nodes if len(stage.operands) > 1]
    assert len(names) == len(factors)
    weights = {name: torch.from_numpy(factor) for name, factor in zip(names, factors, strict=True)}
    return run(nodes, data, weights, groups=node.op.groups)


def difference(node: Node, alternative: Alternative, kernel: np.ndarray) -> float:
    data = torch.randn(node.operands[0].shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return float((as_run(node, alternative, kernel, data) - apply(node.op, data, torch.from_numpy(kernel))).abs().max())


pads = st.tuples(st.integers(0, 2), st.integers(0, 2))


@st.composite
def layers(draw: st.DrawFn, times: int) -> Node:
    """Convolutions of every geometry: groups, stride, dilation, uneven pads, non-square, transposed."""
    groups = draw(st.integers(1, 3))
    op = Conv(
        in_channels=groups * times * draw(st.integers(2, 3)),
        out_channels=groups * times * draw(st.integers(2, 3)),
        kernel=draw(st.tuples(st.integers(2, 3), st.integers(2, 3))),
        stride=draw(st.tuples(st.integers(1, 3), st.integers(1, 3))),
        pads=draw(st.tuples(pads, pads)),
        dilation=draw(st.tuples(st.integers(1, 2), st.integers(1, 2))),
        groups=groups,
    )
    spatial = draw(st.tuples(st.integers(5, 8), st.integers(5, 8)))
    return layer(transposed(op) if draw(st.booleans()) else op, spatial)


@pytest.mark.parametrize("label", FAMILY_LABELS)
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_full_rank_factors_compute_the_layer(label, data, seed):
    node = data.draw(layers(smallest(label)))
    family = family_of(label, node.op.groups)
    kernel = random_kernel(node.op, seed)
    full = family.spectrum(from_stored(node.op, kernel)).full_rank * family.ranked.rank_step(node.op)
    assert difference(node, family.at_rank(node.op, full), kernel) < 1e-10


def impulse_response(node: Node, alternative: Alternative, kernel: np.ndarray) -> np.ndarray:
    """The kernel that the factors amount to: a unit impulse through each input channel of the stages."""
    op = node.op
    height, width = op.kernel
    responses = []
    for channel in range(op.in_channels):
        data = torch.zeros((1, op.in_channels, 2 * height - 1, 2 * width - 1), dtype=torch.float64)
        data[0, channel, height - 1, width - 1] = 1
        responses.append(as_run(node, alternative, kernel, data)[0].flip(-2, -1).numpy())
    return np.stack(responses, axis=1)


@pytest.mark.parametrize("label", FAMILY_LABELS)
@given(
    groups=st.integers(1, 2), inputs=st.integers(2, 3), outputs=st.integers(2, 3), rank=st.integers(1, 6),
    seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_truncation_misses_the_root_of_the_dropped_squared_singular_values(label, groups, inputs, outputs, rank, seed):
    family = family_of(label, groups)
    inputs, outputs = inputs * smallest(label), outputs * smallest(label)
    op = conv2d(groups * inputs, groups * outputs, (3, 2), groups=groups, pads=((0, 0), (0, 0)))
    node = layer(op, (5, 3))
    kernel = random_kernel(op, seed)
    spectrum = family.spectrum(from_stored(op, kernel))
    found = impulse_response(node, family.at_rank(op, rank * family.ranked.rank_step(op)), kernel)
    dense = np.zeros_like(found)
    for group in range(groups):
        rows = slice(group * outputs, (group + 1) * outputs)
        dense[rows, group * inputs : (group + 1) * inputs] = kernel[rows]
    missed = np.square(found - dense).sum()
    assert missed == pytest.approx((1 - spectrum.at(rank)) * np.square(kernel).sum(), abs=1e-9)


def test_textbook_split_is_exact_for_separable_kernels_in_groups():
    op = conv2d(4, 6, 3, groups=2, stride=(2, 1))
    generator = np.random.default_rng(0)
    kernel = np.einsum("nmi,nmj->nmij", generator.standard_normal((6, 2, 3)), generator.standard_normal((6, 2, 3)))
    assert difference(layer(op), SpatialSeparable(), kernel) < 1e-10
    assert difference(layer(op), SpatialSeparable(), random_kernel(op)) > 0.1


@pytest.mark.parametrize("as_transposed", [False, True])
def test_grouping_is_exact_for_kernels_that_are_grouped_already(as_transposed):
    op = conv2d(8, 8, 3, groups=2)
    op = transposed(op) if as_transposed else op
    mask = np.zeros((2, 4, 4, 1, 1))
    mask[:, :2, :2] = mask[:, 2:, 2:] = 1
    kernel = (random_kernel(op).reshape(2, 4, 4, 3, 3) * mask).reshape(op.weight_shape)
    assert difference(layer(op), Grouped(groups=4), kernel) < 1e-10
    assert difference(layer(op), Grouped(groups=4), random_kernel(op)) > 0.1


def test_depthwise_factors_work_over_one_and_three_axes():
    for kernel in ((3,), (2, 3, 2)):
        op = conv2d(3, 4, kernel)
        node = layer(op, (6,) * len(kernel))
        for order in ("dw_pw", "pw_dw"):
            full = math.prod(kernel)
            assert difference(node, DepthwiseSeparable(multiplier=full, order=order), random_kernel(op)) < 1e-10


@pytest.mark.parametrize("kernel", [(3,), (3, 2), (2, 2, 2)])
def test_low_rank_factors_work_over_one_to_three_axes(kernel):
    op = conv2d(4, 6, kernel)
    node = layer(op, (6,) * len(kernel))
    for alternative in (ChannelLowRank(rank=6), Tucker2(rank_in=4, rank_out=6), Gsvd(groups=2, rank=6)):
        assert difference(node, alternative, random_kernel(op)) < 1e-10


def test_a_bottleneck_takes_the_core_of_tucker():
    op = conv2d(6, 6, groups=2)
    node = layer(op)
    assert difference(node, Bottleneck(rank=6), random_kernel(op)) < 1e-10
    narrow = decompose(node, Bottleneck(rank=4), random_kernel(op))
    tucker = decompose(node, Tucker2(rank_in=4, rank_out=4), random_kernel(op))
    for one, other in zip(narrow, tucker, strict=True):
        np.testing.assert_array_equal(one, other)


def test_ranks_beyond_full_are_filled_with_zeros():
    op = conv2d(2, 2)
    for alternative in (SpatialFactorized(rank=50), ChannelLowRank(rank=50), Tucker2(rank_in=50, rank_out=60)):
        assert difference(layer(op), alternative, random_kernel(op)) < 1e-10


def test_what_cannot_be_decomposed_says_so():
    op = conv2d(4, 4)
    kernel = random_kernel(op)
    assert "cp" in decompose(layer(op), Cp(), kernel).reason
    assert "grouped" in decompose(layer(op), Grouped(groups=2, shuffle=True), kernel).reason
    assert "standard" in decompose(layer(op), Standard(), kernel).reason
    assert "divide" in decompose(layer(op), Grouped(groups=3), kernel).reason
    softmax = Node(name="softmax", op=Softmax(), operands=layer(op).operands[:1], outputs=layer(op).outputs)
    assert decompose(softmax, Standard(), kernel) == NotApplicable(reason="not a convolution")
