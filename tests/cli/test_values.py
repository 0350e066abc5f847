"""The small grammars of options."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.cli.values import at_least_one, one_of, parse_dim, parse_input
from convcost.errors import UsageError
from convcost.graph import DType
from convcost.sources.request import InputSpec


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("1x3x224x224", InputSpec(shape=(1, 3, 224, 224))),
        ("ids=1x128:int64", InputSpec(shape=(1, 128), name="ids", dtype=DType.INT64)),
        ("1x3:float16", InputSpec(shape=(1, 3), dtype=DType.FLOAT16)),
        ("x:0=1x2", InputSpec(shape=(1, 2), name="x:0")),
        ("a=b=7", InputSpec(shape=(7,), name="a=b")),
        ("1,3,8", InputSpec(shape=(1, 3, 8))),
    ],
)
def test_an_input_is_a_shape_with_or_without_name_and_type(text: str, spec: InputSpec) -> None:
    assert parse_input(text) == spec


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not a shape"),
        ("1x", "is not a shape"),
        ("axb", "is not a shape"),
        ("1x-3", "is not a shape"),
        ("1x0x3", "size of zero"),
        ("1x3:flaot32", "float32"),
        ("9" * 40, "is not a shape"),
    ],
)
def test_another_input_is_refused_with_an_example(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        parse_input(text)
    assert caught.value.hint


@pytest.mark.parametrize("text", ["", "batch", "=8", "batch=", "batch=0", "batch=-1", "batch=1.5", "batch=x"])
def test_a_dimension_is_a_name_and_a_size(text: str) -> None:
    assert parse_dim("batch=8") == ("batch", 8)
    with pytest.raises(UsageError, match="NAME=VALUE"):
        parse_dim(text)


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5", "", "9" * 30])
def test_a_number_of_rows_is_at_least_one(text: str) -> None:
    assert at_least_one("3", option="--top") == 3
    with pytest.raises(UsageError, match="--top"):
        at_least_one(text, option="--top")


def test_the_nearest_choice_is_suggested() -> None:
    with pytest.raises(UsageError, match="not 'tabel'") as caught:
        one_of("tabel", ("table", "json"), option="--format")
    assert caught.value.hint == "did you mean table?"


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_input, parse_dim):
        try:
            parse(text)
        except UsageError:
            continue
