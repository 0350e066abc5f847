"""The grammar of `--grid`."""

from __future__ import annotations

import pytest

from convcost.errors import UsageError
from convcost.grids import Grid
from convcost.grids.axes import SAME, Axis

LAYER = ["kernel=3,5", "in_channels=16..64:16", "out_channels=8..100:*3", "input=56"]


def test_axes_keep_their_order_and_values_the_order_they_were_written_in() -> None:
    grid = Grid.of(LAYER)
    assert [axis.name for axis in grid.axes] == ["kernel", "in_channels", "out_channels", "input"]
    assert [axis.values for axis in grid.axes] == [(3, 5), (16, 32, 48, 64), (8, 24, 72), (56,)]
    assert (grid.shape, grid.size) == ((2, 4, 3, 1), 24)


def test_axes_may_stand_in_one_argument_or_in_several() -> None:
    assert Grid.of([" ".join(LAYER)]) == Grid.of(LAYER)


def test_words_stand_for_numbers_and_are_shown_again() -> None:
    padding, bias = Axis.of("padding=same,0,1,valid"), Axis.of("bias=false,true")
    assert (padding.values, padding.shown) == ((SAME, 0, 1), ("same", "0", "1"))
    assert (bias.values, bias.shown) == ((0, 1), ("false", "true"))


@pytest.mark.parametrize(
    ("axis", "message", "hint"),
    [
        ("kernal=3", "--grid has no axis 'kernal'", "did you mean 'kernel'?"),
        ("colour=3", "--grid has no axis 'colour'", "the axes are in_channels"),
        ("model.onnx", "--grid takes NAME=VALUES, not 'model.onnx'", "such as --grid"),
        ("stride=", "--grid takes NAME=VALUES, not 'stride='", "such as --grid"),
        ("stride=0", "--grid 'stride=0' has a size or step of zero", "at least 1"),
        ("stride=two", "--grid 'stride=two' has 'two' for a value", "such as"),
        ("stride=9999999999", "--grid 'stride=9999999999' has '9999999999' for a value", "nine digits at most"),
        ("stride=1,,2", "--grid 'stride=1,,2' has '' for a value", "such as"),
        ("stride=4..1", "--grid 'stride=4..1' runs from 4 down to 1", "such as"),
        ("stride=1..9:*1", "--grid 'stride=1..9:*1' grows by a factor of 1 from 1", "such as"),
        ("bias=1", "--grid 'bias=1' has '1' for a value", "write true or false"),
        ("batch=1..999999999", "--grid 'batch=1..999999999' asks for 999999999 values", "1000000 are the most"),
        ("kernel=7", "--grid has the axis 'kernel' twice", "write kernel=1,2,4 in one"),
    ],
)
def test_what_is_not_an_axis_is_an_error_that_says_what_to_write(axis: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        Grid.of([*LAYER, axis])
    assert caught.value.message == message
    assert hint in caught.value.hint


def test_what_a_layer_cannot_do_without_is_asked_for() -> None:
    with pytest.raises(UsageError, match="--grid needs out_channels=, input= too"):
        Grid.of(["kernel=3", "in_channels=8"])


def test_more_than_can_be_meant_is_refused() -> None:
    with pytest.raises(UsageError, match="has 40,000,000,000 configurations"):
        Grid.of(["kernel=3", "in_channels=1..200000", "out_channels=1..200000", "input=56"])
