"""Layers added up by kind and by module."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from convcost.analysis import analyze_graph
from convcost.analysis.group import add_up, group_layers
from tests.networks import chain_of_linears, small_network

PATHS = ["stem", "layer1.0.conv1", "layer1.0.conv2", "layer1.1.conv1", "head.fc"]


def test_depth_counts_the_parts_of_a_path() -> None:
    layers = analyze_graph(chain_of_linears(PATHS)).layers
    assert [group.name for group in group_layers(layers, by="module", depth=1)] == ["stem", "layer1", "head"]
    assert [group.name for group in group_layers(layers, by="module", depth=2)] == [
        "stem",
        "layer1.0",
        "layer1.1",
        "head.fc",
    ]


def test_a_group_is_the_sum_of_its_layers() -> None:
    layers = analyze_graph(chain_of_linears(PATHS, features=4)).layers
    layer1 = group_layers(layers, by="module", depth=1)[1]
    assert (layer1.layers, layer1.cost.macs, layer1.storage.params, layer1.activation_bytes) == (3, 48, 48, 48)


def test_kinds_are_the_ops_words() -> None:
    layers = analyze_graph(small_network(unknown=True)).layers
    assert [group.name for group in group_layers(layers, by="kind")] == ["conv", "activation", "unknown"]


def test_nothing_adds_up_to_nothing() -> None:
    empty = add_up("none", ())
    assert (empty.layers, empty.cost.flops, empty.storage.params) == (0, 0, 0)


@given(st.lists(st.from_regex(r"[a-c](\.[0-2]){0,3}", fullmatch=True), unique=True, min_size=1), st.integers(1, 4))
def test_every_grouping_adds_up_to_the_totals(names: list[str], depth: int) -> None:
    analysis = analyze_graph(chain_of_linears(names))
    for by in ("layer", "kind", "module"):
        groups = group_layers(analysis.layers, by=by, depth=depth)
        assert sum(group.layers for group in groups) == len(names)
        assert sum(group.cost.flops for group in groups) == analysis.totals.flops
        assert sum(group.storage.params for group in groups) == analysis.totals.params
