"""A network far too large for memory, a few of its layers at a time: exact against the hand formula."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import convcost
from tests.sources.torch.decoder import SEVENTY_BILLION, Decoder


@pytest.mark.parametrize(("layers", "tokens"), [(1, 1), (2, 4096)])
def test_layers_of_a_network_of_70_billion_parameters_are_counted_without_weights(layers, tokens):
    sizes = replace(SEVENTY_BILLION, layers=layers)
    with torch.device("meta"):
        module = Decoder(sizes)
    analysis = convcost.analyze(module, inputs=(torch.zeros(1, tokens, dtype=torch.int64),))
    assert not analysis.unknown
    assert not any("real tensors" in note for note in analysis.notes)
    assert analysis.totals.params == sizes.params == sum(tensor.numel() for tensor in module.parameters())
    assert analysis.totals.macs == sizes.macs(tokens)


def test_every_layer_costs_the_same():
    sizes = replace(SEVENTY_BILLION, layers=3, width=64, hidden=96, heads=4, key_heads=2, vocabulary=100)
    analysis = convcost.analyze(Decoder(sizes), inputs=(torch.zeros(2, 7, dtype=torch.int64),))
    of_layer = [sum(x.cost.macs for x in analysis.layers if x.name.startswith(f"layers.{at}.")) for at in range(3)]
    assert set(of_layer) == {2 * (sizes.macs(7) - 7 * 100 * 64) // 3}


def test_the_formula_has_the_size_that_the_network_is_named_for():
    assert round(SEVENTY_BILLION.params / 1e9, 1) == 70.6
