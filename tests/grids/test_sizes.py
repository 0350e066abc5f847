"""Sizes are as ints are, layer by layer, or say where layers differ."""

from __future__ import annotations

import operator
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.errors import UsageError
from convcost.grids.sizes import DisagreementError, Sizes, values_of

SIZES = st.lists(st.integers(1, 10**4), min_size=1, max_size=6)
ARITHMETIC = (operator.add, operator.sub, operator.mul, operator.floordiv, operator.mod)
COMPARISONS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)


def sizes(values: list[int]) -> Sizes:
    return Sizes(np.array(values, dtype=np.int64), max(map(abs, values)))


@pytest.mark.parametrize("operation", ARITHMETIC)
@given(values=SIZES, other=st.integers(1, 10**4))
def test_arithmetic_is_that_of_ints(operation: Callable[[int, int], int], values: list[int], other: int) -> None:
    size = sizes(values).as_size
    assert values_of(operation(size, other)).tolist() == [operation(value, other) for value in values]
    assert values_of(operation(other, size)).tolist() == [operation(other, value) for value in values]
    assert values_of(-size // other).tolist() == [-value // other for value in values]


@given(values=SIZES)
def test_bits_and_shifts_are_those_of_ints(values: list[int]) -> None:
    size = sizes(values).as_size
    assert values_of(size.bit_length()).tolist() == [value.bit_length() for value in values]
    assert values_of(1 << (size - 1).bit_length()).tolist() == [1 << (value - 1).bit_length() for value in values]


@pytest.mark.parametrize("question", COMPARISONS)
@given(values=SIZES, other=st.integers(1, 10**4))
def test_a_question_has_one_answer_or_says_who_answers_how(
    question: Callable[[int, int], bool], values: list[int], other: int
) -> None:
    answers = [question(value, other) for value in values]
    if len(set(answers)) == 1:
        assert question(sizes(values).as_size, other) == answers[0]
        return
    with pytest.raises(DisagreementError) as split:
        question(sizes(values).as_size, other)
    labels = split.value.labels.tolist()
    assert [label == labels[0] for label in labels] == [answer == answers[0] for answer in answers]


def test_a_size_among_others_of_a_set_has_to_be_one_number() -> None:
    assert {sizes([3, 3]).as_size} == {3}
    assert list(range(sizes([2, 2]).as_size)) == [0, 1]
    assert [0] * sizes([2]).as_size == [0, 0]
    with pytest.raises(DisagreementError):
        hash(sizes([3, 5]))


@pytest.mark.parametrize("largest", [2**31, 2**32])
def test_what_could_pass_64_bits_is_refused_and_never_wraps(largest: int) -> None:
    size = sizes([1, largest]).as_size
    with pytest.raises(UsageError, match="more than 64 bits"):
        size * size * size
    with pytest.raises(UsageError, match="more than 64 bits"):
        size * 2**40
    with pytest.raises(UsageError, match="more than 64 bits"):
        values_of(2**63)


def test_a_quotient_makes_room_again() -> None:
    size = sizes([2**20, 2**21]).as_size
    assert values_of(size * size // 2**21 * size).tolist() == [2**39, 2**42]
    assert values_of(size * size * (size // 2**21) * 2**20).tolist() == [0, 2**62]


def test_text_has_the_letter_of_an_axis_and_an_ellipsis_for_what_is_computed() -> None:
    size = Sizes(np.array([1, 2]), 2, "M")
    assert f"{size} and {size + 1}" == "M and …"
