"""Marking what nothing else beats in MACs, parameters and activations together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from convcost.alternatives import (
    DEFAULT_ALTERNATIVES,
    DepthwiseSeparable,
    Grouped,
    SpatialSeparable,
    Standard,
    compare_graph,
    undominated,
)
from tests.alternatives.layers import conv, graph_of, layer_of

POINTS = st.lists(st.tuples(*[st.integers(0, 3)] * 3), max_size=8)


@given(points=POINTS)
def test_every_point_is_on_the_front_or_beaten_by_one_that_is(points: list[tuple[int, ...]]) -> None:
    marks = undominated(points)
    front = [point for point, mark in zip(points, marks, strict=True) if mark]
    for point, mark in zip(points, marks, strict=True):
        beaten = [other for other in front if other != point and all(a <= b for a, b in zip(other, point, strict=True))]
        assert bool(beaten) != mark


@given(points=POINTS)
def test_equal_points_share_their_mark(points: list[tuple[int, ...]]) -> None:
    marks = dict(zip(points, undominated(points), strict=True))
    assert [marks[point] for point in points] == list(undominated(points))


def test_of_the_usual_alternatives_the_textbook_split_and_the_dense_layer_are_beaten() -> None:
    comparison = compare_graph(graph_of([layer_of(conv(128, 128, (3, 3), pads=1), (28, 28))]), DEFAULT_ALTERNATIVES)
    # Grouped writes the same map as the dense layer with a quarter of the work; depthwise-separable works less still.
    assert {c.alternative.name: c.pareto for c in comparison.layers[0].candidates} == {
        "standard": False,
        "spatial_separable": False,
        "spatial_factorized": False,
        "depthwise_separable": True,
        "grouped": True,
    }
    assert [total.pareto for total in comparison.totals] == [False, False, False, True, True]


def test_what_does_not_apply_is_neither_marked_nor_beats() -> None:
    pointwise = layer_of(conv(8, 8, (1, 1)), (4, 4))
    comparison = compare_graph(graph_of([pointwise]), [Standard(), DepthwiseSeparable(), SpatialSeparable()])
    assert [candidate.pareto for candidate in comparison.layers[0].candidates] == [True, None, None]


def test_json_says_the_mark() -> None:
    comparison = compare_graph(graph_of([layer_of(conv(8, 8, (3, 3)), (4, 4))]), [Standard(), Grouped(groups=2)])
    standard, grouped = comparison.layers[0].candidates
    assert standard.to_json(standard, axes=2)["pareto"] is False
    assert grouped.to_json(standard, axes=2)["pareto"] is True
