"""What every rewrite must hold, on random geometry: the same output shape, honest counts, and nodes that really run."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from convcost.alternatives import (
    ALTERNATIVES,
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
    Standard,
    Tucker2,
    Winograd,
    convolution,
)
from convcost.graph import Node
from convcost.graph.ops import Move
from tests.alternatives.execution import explained_by, multiplications, random_weights, run
from tests.alternatives.layers import layers

REWRITES: tuple[Alternative, ...] = (
    Standard(),
    SpatialSeparable(),
    SpatialFactorized(),
    SpatialFactorized(rank=6, order="hv"),
    SpatialFactorized(mid="in"),
    DepthwiseSeparable(),
    DepthwiseSeparable(multiplier=2),
    DepthwiseSeparable(order="pw_dw"),
    DepthwiseSeparable(multiplier=3, order="pw_dw"),
    Grouped(groups=2),
    Grouped(groups=6),
    Grouped(groups=2, shuffle=True),
    ChannelLowRank(),
    ChannelLowRank(rank=6),
    ChannelLowRank(order="pw_conv"),
    Bottleneck(),
    Bottleneck(rank=6),
    Tucker2(),
    Tucker2(rank_in=6, rank_out=12),
    Cp(),
    Cp(rank=6),
    Gsvd(groups=2),
    Gsvd(groups=6, rank=2),
    Gsvd(groups=6, rank=1, order="pw_conv"),
    Stacked(),
    Stacked(rank=6),
    Stacked(mid="in"),
    Winograd(),
    Winograd(tile=4),
    Fft(),
    Fft(size=8),
)
ids = [f"{each.name}-{'-'.join(map(str, each.options().values()))}" for each in REWRITES]


def random_layers(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])


def rewritten(layer: Node, alternative: Alternative) -> tuple[Node, ...]:
    conv = convolution(layer)
    assert conv is not None
    nodes = alternative.rewrite(layer, conv)
    assume(not isinstance(nodes, NotApplicable))
    assert not isinstance(nodes, NotApplicable)
    return nodes


def fitting(alternative: Alternative, *, padded: bool = True) -> st.SearchStrategy[Node]:
    """Layers to which the alternative is likely to apply."""
    return layers(
        axes=2 if isinstance(alternative, SpatialSeparable | SpatialFactorized) else None,
        multiple_of=alternative.groups if isinstance(alternative, Grouped | Gsvd) else 1,
        kernels=KERNELS.get(type(alternative), ()),
        plain=isinstance(alternative, Winograd | Fft),
        padded=padded,
    )


KERNELS: dict[type[Alternative], tuple[int, ...]] = {Stacked: (1, 3, 5), Winograd: (1, 3)}


@pytest.mark.parametrize("alternative", REWRITES, ids=ids)
@random_layers(40)
@given(data=st.data())
def test_rewritten_nodes_count_what_a_loop_nest_multiplies(alternative: Alternative, data: st.DataObject) -> None:
    layer = data.draw(fitting(alternative))
    for node in rewritten(layer, alternative):
        dense = dataclasses.replace(node, op=convolution(layer)) if isinstance(alternative, Winograd | Fft) else node
        assert dense.cost.macs == multiplications(dense)


@pytest.mark.parametrize("alternative", REWRITES, ids=ids)
@random_layers(40)
@given(data=st.data())
def test_rewritten_nodes_run_and_end_in_the_layers_own_output(alternative: Alternative, data: st.DataObject) -> None:
    layer = data.draw(fitting(alternative))
    nodes = rewritten(layer, alternative)
    conv = convolution(layer)
    assert conv is not None
    values = torch.zeros(layer.operands[0].shape, dtype=torch.float64)
    result = run(nodes, values, random_weights(nodes), groups=conv.groups)
    assert tuple(result.shape) == layer.outputs[0].shape
    assert nodes[-1].outputs == layer.outputs
    assert nodes[0].operands[0] == layer.operands[0]
    *earlier, last = [node for node in nodes if not isinstance(node.op, Move)]
    assert last.operands[2:] == layer.operands[2:]
    assert all(len(node.operands) == 2 for node in earlier), "a bias stands only on the last convolution"


@pytest.mark.parametrize("alternative", [each for each in REWRITES if not isinstance(each, Stacked)])
@random_layers(25)
@given(data=st.data())
def test_a_rewrite_computes_a_convolution_with_the_layers_own_window(
    alternative: Alternative, data: st.DataObject
) -> None:
    layer = data.draw(fitting(alternative))
    conv = convolution(layer)
    assert conv is not None
    # Shuffled outputs of a grouped layer read other groups than the layer's own do.
    assume(not (isinstance(alternative, Grouped) and alternative.shuffle and conv.groups > 1))
    nodes = tuple(_unbiased(node) for node in rewritten(layer, alternative))
    generator = torch.Generator().manual_seed(1)
    spatial = layer.operands[0].shape[-len(conv.kernel) :]
    values = torch.randn((12, conv.in_channels, *spatial), dtype=torch.float64, generator=generator)
    result = run(nodes, values, random_weights(nodes), groups=conv.groups)
    assert explained_by(conv, values, result) < 1e-8


@pytest.mark.parametrize("alternative", [each for each in REWRITES if isinstance(each, Stacked)])
@random_layers(25)
@given(data=st.data())
def test_a_stack_without_padding_computes_a_dense_convolution_of_its_reach(
    alternative: Alternative, data: st.DataObject
) -> None:
    # Padding between stages reads zeros where the one large kernel reads data: at the border they differ.
    layer = data.draw(fitting(alternative, padded=False))
    conv = convolution(layer)
    assert conv is not None
    nodes = tuple(_unbiased(node) for node in rewritten(layer, alternative))
    reach = tuple(spread * (size - 1) + 1 for size, spread in zip(conv.kernel, conv.dilation, strict=True))
    dense = dataclasses.replace(conv, kernel=reach, dilation=(1,) * len(reach))
    generator = torch.Generator().manual_seed(1)
    spatial = layer.operands[0].shape[-len(reach) :]
    values = torch.randn((12, conv.in_channels, *spatial), dtype=torch.float64, generator=generator)
    result = run(nodes, values, random_weights(nodes), groups=conv.groups)
    assert explained_by(dense, values, result) < 1e-8


@random_layers(200)
@given(layer=layers(), name=st.sampled_from(sorted(ALTERNATIVES)))
def test_every_family_has_a_label_a_formula_and_stages_or_a_reason_for_every_layer(layer: Node, name: str) -> None:
    alternative, conv = ALTERNATIVES[name](), convolution(layer)
    assert conv is not None
    assert alternative.label(conv).partition(" ")[0] in {name.replace("_", "-"), "spatial-factorised"}
    assert alternative.formula(conv)
    match alternative.rewrite(layer, conv):
        case NotApplicable(reason=reason):
            assert reason
        case nodes:
            assert nodes[-1].outputs == layer.outputs


def _unbiased(node: Node) -> Node:
    return Node(name=node.name, op=node.op, operands=node.operands[:2], outputs=node.outputs)
