"""What users write for alternatives, and what they are told when it cannot be read."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.alternatives import (
    ALTERNATIVES,
    DepthwiseSeparable,
    Grouped,
    SpatialFactorized,
    Standard,
    build_alternatives,
    parse_alternatives,
)
from convcost.errors import UsageError


def test_a_list_of_names_is_read_in_order() -> None:
    assert parse_alternatives(" standard , depthwise_separable") == (Standard(), DepthwiseSeparable())


def test_options_stand_in_brackets() -> None:
    assert parse_alternatives("spatial_factorized[rank=32, order=hv],grouped[groups=4]") == (
        SpatialFactorized(rank=32, order="hv"),
        Grouped(groups=4),
    )


def test_an_option_given_twice_makes_one_alternative_of_each_value() -> None:
    assert parse_alternatives("grouped[groups=2,groups=8]") == (Grouped(groups=2), Grouped(groups=8))


def test_a_spec_lists_values_of_several_options_and_gets_every_combination() -> None:
    built = build_alternatives("spatial_factorized", {"rank": [8, 16], "order": ["vh", "hv"]})
    assert built == tuple(SpatialFactorized(rank=rank, order=order) for rank in (8, 16) for order in ("vh", "hv"))  # type: ignore[arg-type]


@pytest.mark.parametrize("yes", [True, "true", "yes", "True"])
def test_a_switch_is_read_from_yaml_and_from_text(yes: object) -> None:
    assert build_alternatives("grouped", {"shuffle": [yes, "no"]}) == (Grouped(shuffle=True), Grouped(shuffle=False))


def test_every_family_is_known_by_its_name_and_needs_no_options() -> None:
    for name, family in ALTERNATIVES.items():
        assert parse_alternatives(name) == (family(),)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "cannot read alternatives '' at ''", "write a,b[option=value]"),
        ("grouped,,standard", "at ',standard'", "write a,b[option=value]"),
        ("grouped[groups=4", "at 'grouped[groups=4'", "write a,b[option=value]"),
        ("gruped", "unknown alternative 'gruped'", "did you mean 'grouped'?"),
        ("spatial-separable", "unknown alternative 'spatial-separable'", "did you mean 'spatial_separable'?"),
        ("xyz", "unknown alternative 'xyz'", "known: standard, "),
        ("grouped[grups=4]", "alternative 'grouped' has no option 'grups'", "did you mean 'groups'?"),
        ("standard[groups=4]", "alternative 'standard' has no option 'groups'", "it takes none"),
        ("grouped[4]", "an option is written key=value, not '4'", "such as grouped[groups=4]"),
        ("grouped[groups=0]", "grouped: groups is a whole number from 1 to 2147483648 or all, not '0'", None),
        ("grouped[groups=-4]", "grouped: groups is a whole number from 1 to 2147483648 or all, not '-4'", None),
        ("grouped[groups=1.5]", "grouped: groups is a whole number from 1 to 2147483648 or all, not '1.5'", None),
        (
            "grouped[groups=99999999999]",
            "groups is a whole number from 1 to 2147483648 or all, not '99999999999'",
            None,
        ),
        (
            "grouped[groups=" + "9" * 5000 + "]",
            "grouped: groups is a whole number from 1 to 2147483648 or all, not '9999",
            None,
        ),
        (
            "bottleneck[rank=0]",
            "bottleneck: rank is a whole number from 1 to 2147483648, not '0'",
            "convcost explain bottleneck says what its options mean",
        ),
        ("winograd[tile=3]", "winograd: tile is one of 2, 4, 6, not '3'", None),
        ("grouped[shuffle=maybe]", "grouped: shuffle is true or false, not 'maybe'", None),
        ("depthwise_separable[order=vh]", "order is one of dw_pw, pw_dw, not 'vh'", None),
    ],
)
def test_what_cannot_be_read_is_said_with_a_way_out(text: str, message: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        parse_alternatives(text)
    assert message in caught.value.message
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 200
    if hint is not None:
        assert hint in (caught.value.hint or "")


@pytest.mark.parametrize("value", [True, 2.5, None, [4], {"a": 1}, 0, -1])
def test_values_from_yaml_of_the_wrong_type_are_refused(value: Any) -> None:
    with pytest.raises(UsageError):
        build_alternatives("grouped", {"groups": [value]})
    with pytest.raises(UsageError):
        build_alternatives("spatial_factorized", {"order": [value]})


@given(text=st.text(alphabet="agropued[]=,_ 0123456789-é²\n\x00", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert parse_alternatives(text)
