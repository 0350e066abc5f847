"""What every rewrite must hold, on random geometry: the same output shape, honest counts, and nodes that really run."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from convcost.alternatives import (
    Alternative,
    DepthwiseSeparable,
    Grouped,
    NotApplicable,
    SpatialFactorized,
    SpatialSeparable,
    Standard,
    convolution,
)
from convcost.graph import Node
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


def fitting(alternative: Alternative) -> st.SearchStrategy[Node]:
    """Layers to which the alternative is likely to apply."""
    return layers(
        axes=2 if isinstance(alternative, SpatialSeparable | SpatialFactorized) else None,
        multiple_of=alternative.groups if isinstance(alternative, Grouped) else 1,
    )


@pytest.mark.parametrize("alternative", REWRITES, ids=ids)
@random_layers(40)
@given(data=st.data())
def test_rewritten_nodes_count_what_a_loop_nest_multiplies(alternative: Alternative, data: st.DataObject) -> None:
    layer = data.draw(fitting(alternative))
    for node in rewritten(layer, alternative):
        assert node.cost.macs == multiplications(node)


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
    assert nodes[-1].operands[2:] == layer.operands[2:]
    assert all(len(node.operands) <= 2 for node in nodes[:-1]), "a bias stands only on the last stage"


@pytest.mark.parametrize("alternative", REWRITES, ids=ids)
@random_layers(25)
@given(data=st.data())
def test_a_rewrite_computes_a_convolution_with_the_layers_own_window(
    alternative: Alternative, data: st.DataObject
) -> None:
    layer = data.draw(fitting(alternative))
    conv = convolution(layer)
    assert conv is not None
    nodes = tuple(_unbiased(node) for node in rewritten(layer, alternative))
    generator = torch.Generator().manual_seed(1)
    spatial = layer.operands[0].shape[-len(conv.kernel) :]
    values = torch.randn((12, conv.in_channels, *spatial), dtype=torch.float64, generator=generator)
    result = run(nodes, values, random_weights(nodes), groups=conv.groups)
    assert explained_by(conv, values, result) < 1e-8


def _unbiased(node: Node) -> Node:
    return Node(name=node.name, op=node.op, operands=node.operands[:2], outputs=node.outputs)
