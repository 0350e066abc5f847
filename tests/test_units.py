"""Quantities to text and back, exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.errors import UsageError
from convcost.units import Unit, format_column, format_exact, format_quantity, parse_quantity


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1.00 k"),
        (1_234_567, "1.23 M"),
        (99_994, "99.99 k"),
        (99_995, "100.0 k"),
        (115_605_504, "115.6 M"),
        (999_949, "999.9 k"),
        (999_950, "1.00 M"),
        (17_564_000_000, "17.56 G"),
        (10**15, "1.00 P"),
    ],
)
def test_counts_take_the_unit_of_their_size(value: int, text: str) -> None:
    assert format_quantity(value, Unit.COUNT) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (17_540, "17.54 kB"),
        (401_408, "0.40 MB"),
        (553_430_000, "553.4 MB"),
        (10**9, "1.00 GB"),
    ],
)
def test_bytes_take_decimal_units_and_say_so(value: int, text: str) -> None:
    assert format_quantity(value, Unit.BYTES) == text


def test_numbers_that_would_look_alike_are_printed_exactly() -> None:
    assert format_column([300_774_272, 300_774_273], Unit.COUNT) == ["300,774,272", "300,774,273"]


def test_equal_numbers_may_look_alike() -> None:
    assert format_column([300_774_272, 300_774_272, 5], Unit.COUNT) == ["300.8 M", "300.8 M", "5"]


@given(st.lists(st.integers(0, 10**13)), st.sampled_from(Unit))
def test_a_column_never_shows_two_numbers_as_one(values: list[int], unit: Unit) -> None:
    assert len(set(format_column(values, unit))) == len(set(values))


@given(st.integers(1_000, 10**18))
def test_rounding_errs_by_less_than_half_a_percent(value: int) -> None:
    number, symbol = format_quantity(value, Unit.COUNT).split(" ")
    shown = float(number) * {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}[symbol]
    assert abs(shown - value) <= 0.00501 * value


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("600M", Unit.COUNT, 600_000_000),
        ("1.2G", Unit.COUNT, 1_200_000_000),
        ("3.6M", Unit.COUNT, 3_600_000),
        ("0.1k", Unit.COUNT, 100),
        ("600 M", Unit.COUNT, 600_000_000),
        ("300774272", Unit.COUNT, 300_774_272),
        ("300,774,272", Unit.COUNT, 300_774_272),
        ("300_774_272", Unit.COUNT, 300_774_272),
        ("20MB", Unit.BYTES, 20_000_000),
        ("8MiB", Unit.BYTES, 8 * 1024 * 1024),
        ("0.5KiB", Unit.BYTES, 512),
        ("4096", Unit.BYTES, 4096),
        ("12 B", Unit.BYTES, 12),
        ("12ms", Unit.TIME, 12_000_000),
        ("1.5 us", Unit.TIME, 1500),
        ("1.5µs", Unit.TIME, 1500),
        ("1.5\u03bcs", Unit.TIME, 1500),
        ("0.5s", Unit.TIME, 500_000_000),
        ("7 ns", Unit.TIME, 7),
    ],
)
def test_values_are_read_exactly(text: str, unit: Unit, value: int) -> None:
    assert parse_quantity(text, unit, metric="macs") == value


@given(st.integers(0, 10**9), st.sampled_from([("k", 10**3), ("M", 10**6), ("G", 10**9)]))
def test_decimals_lose_nothing(thousandths: int, suffix: tuple[str, int]) -> None:
    letter, factor = suffix
    text = f"{thousandths // 1000}.{thousandths % 1000:03}{letter}"
    assert parse_quantity(text, Unit.COUNT, metric="macs") == thousandths * factor // 1000


@given(st.integers(0, 10**15), st.sampled_from(Unit))
def test_what_is_printed_exactly_can_be_read_back(value: int, unit: Unit) -> None:
    assert parse_quantity(format_exact(value, unit), unit, metric="macs") == value


@pytest.mark.parametrize(
    ("text", "unit", "says", "hint"),
    [
        ("600m", Unit.COUNT, "thousandths", "write macs=600M"),
        ("600 MFLOPs", Unit.COUNT, "'MFLOPs' is not a unit of macs", "write flops=600M if you mean flops"),
        ("600MMACs", Unit.COUNT, "not a unit", "write macs=600M"),
        ("20MB", Unit.COUNT, "not a number of bytes", "write macs=20M"),
        ("20M", Unit.BYTES, "does not say bytes", "write macs=20MB"),
        ("20mb", Unit.BYTES, "'mb' is not a unit", "write macs=20MB"),
        ("5KB", Unit.BYTES, "'KB' is not a unit", "write macs=5kB"),
        ("1.5", Unit.COUNT, "not a whole count", "write macs=600M"),
        ("1.0005k", Unit.COUNT, "not a whole count", "write macs=600M"),
        ("", Unit.COUNT, "is not a value for macs", "write macs=600M"),
        ("-5", Unit.COUNT, "is not a value", "write macs=600M"),
        ("1e9", Unit.COUNT, "is not a value", "write macs=600M"),
        ("٣M", Unit.COUNT, "is not a value", "write macs=600M"),
        ("12", Unit.TIME, "does not say of which unit", "write macs=12ms"),
        ("12m", Unit.TIME, "minutes or milliseconds", "write macs=12ms"),
        ("12MB", Unit.TIME, "'MB' is not a unit of time", "write macs=12ms"),
        ("0.5ns", Unit.TIME, "not a whole number of nanoseconds", "write macs=12ms"),
        ("12ms", Unit.COUNT, "a count, not a time", "write latency=12ms if you mean latency, macs=600M if not"),
        ("12ms", Unit.BYTES, "not a time", "write latency=12ms if you mean latency, macs=20MB if not"),
        ("9" * 5000, Unit.COUNT, "is not a value", "write macs=600M"),
    ],
)
def test_a_wrong_value_is_told_what_to_write(text: str, unit: Unit, says: str, hint: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        parse_quantity(text, unit, metric="macs")
    assert caught.value.hint == hint


@given(st.text(max_size=12), st.sampled_from(Unit))
def test_any_text_is_a_value_or_a_usage_error(text: str, unit: Unit) -> None:
    try:
        value = parse_quantity(text, unit, metric="macs")
    except UsageError:
        return
    assert value >= 0
