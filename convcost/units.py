"""1234567 to "1.23 M" and "600M" to 600000000, in integers throughout."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from convcost.errors import UsageError

if TYPE_CHECKING:
    from fractions import Fraction  # with decimal, more than 1 ms that only percentages need


class Unit(enum.Enum):
    """What a number counts; bytes have prefixes of their own, and times are whole nanoseconds."""

    COUNT = "count"
    BYTES = "bytes"
    TIME = "nanoseconds"


# (from this value on, one of the unit, its symbol). Memory is spoken of in megabytes, hence 0.40 MB.
_COUNT_STEPS = tuple((10**power, 10**power, symbol) for power, symbol in zip(range(3, 21, 3), "kMGTPE", strict=True))
_BYTES_STEPS = (
    (10**3, 10**3, "kB"),
    (10**5, 10**6, "MB"),
    *((10**power, 10**power, f"{symbol}B") for power, symbol in zip(range(9, 21, 3), "GTPE", strict=True)),
)
_STEPS = {
    Unit.COUNT: _COUNT_STEPS,
    Unit.BYTES: _BYTES_STEPS,
    Unit.TIME: tuple((10**power, 10**power, symbol) for power, symbol in ((3, "µs"), (6, "ms"), (9, "s"))),
}
_ONES = {Unit.COUNT: "", Unit.BYTES: " B", Unit.TIME: " ns"}

_COUNT_SUFFIXES = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_BYTES_SUFFIXES = {
    "": 1,
    "B": 1,
    **{f"{prefix}B": 10 ** (3 * power) for power, prefix in enumerate("kMGT", start=1)},
    **{f"{prefix}iB": 1024**power for power, prefix in enumerate("KMGT", start=1)},
}
# The micro sign, and the Greek letter that keyboards and other programs write for it.
_TIME_SUFFIXES = {"ns": 1, "us": 10**3, "µs": 10**3, "\u03bcs": 10**3, "ms": 10**6, "s": 10**9}
_SUFFIXES: dict[Unit, dict[str, int]] = {
    Unit.COUNT: _COUNT_SUFFIXES,
    Unit.BYTES: _BYTES_SUFFIXES,
    Unit.TIME: _TIME_SUFFIXES,
}
_EXAMPLES = {Unit.COUNT: "600M", Unit.BYTES: "20MB", Unit.TIME: "12ms"}
_WHOLE = {Unit.COUNT: "count", Unit.BYTES: "number of bytes", Unit.TIME: "number of nanoseconds"}
# As a config writes them: (symbol, power of ten), the largest first.
_WRITTEN = {
    Unit.COUNT: (("G", 9), ("M", 6), ("k", 3), ("", 0)),
    Unit.BYTES: (("GB", 9), ("MB", 6), ("kB", 3), ("B", 0)),
    Unit.TIME: (("s", 9), ("ms", 6), ("us", 3), ("ns", 0)),
}
_PERCENT = re.compile(r"\+?(\d{1,9}(?:\.\d{1,9})?) ?%", re.ASCII)
_QUANTITY = re.compile(r"(\d{1,3}(?:[_,]\d{3})+|\d{1,30})(?:\.(\d{1,30}))? *([A-Za-zµ\u03bc]*)", re.ASCII)


def format_quantity(value: int, unit: Unit) -> str:
    """Three or four significant digits and a unit chosen by size; exact below a thousand.

    >>> format_quantity(1234567, Unit.COUNT), format_quantity(999, Unit.COUNT), format_quantity(999_999, Unit.COUNT)
    ('1.23 M', '999', '1.00 M')
    >>> format_quantity(401408, Unit.BYTES), format_quantity(553430, Unit.BYTES), format_quantity(17, Unit.BYTES)
    ('0.40 MB', '0.55 MB', '17 B')
    >>> format_quantity(12_345_678, Unit.TIME), format_quantity(999, Unit.TIME)
    ('12.35 ms', '999 ns')
    """
    steps = _STEPS[unit]
    text = f"{value}{_ONES[unit]}"
    for position, (least, one, symbol) in enumerate(steps):
        if value < least and text != _one_thousand(steps[position - 1]):
            break
        text = f"{_rounded(value, one)} {symbol}"
    return text


def format_exact(value: int, unit: Unit) -> str:
    """All digits, in groups of three.

    >>> format_exact(1234567, Unit.COUNT), format_exact(1234567, Unit.BYTES)
    ('1,234,567', '1,234,567 B')
    """
    return f"{value:,}{_ONES[unit]}"


def format_column(values: Sequence[int], unit: Unit) -> list[str]:
    """Numbers to be read side by side: exact, all of them, if rounding made two different ones look alike.

    >>> format_column([1234567, 2000], Unit.COUNT)
    ['1.23 M', '2.00 k']
    >>> format_column([1234567, 1234568], Unit.COUNT)
    ['1,234,567', '1,234,568']
    """
    rounded = {value: format_quantity(value, unit) for value in values}
    distinct = len(set(rounded.values())) == len(rounded)
    return [rounded[value] if distinct else format_exact(value, unit) for value in values]


def parse_quantity(text: str, unit: Unit, *, metric: str) -> int:
    """An exact integer from `600M`, `1.2G`, `20MB`, `8MiB`, `12ms` or plain digits; `metric` is named in errors.

    A time says its unit. Raises `UsageError` for anything else, and for a fraction of one.

    >>> parse_quantity("1.2G", Unit.COUNT, metric="macs"), parse_quantity("8MiB", Unit.BYTES, metric="weight_bytes")
    (1200000000, 8388608)
    >>> parse_quantity("12ms", Unit.TIME, metric="latency")
    12000000
    """
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"'{text}' is not a value for {metric}", hint=f"write {_example(metric, unit)}")
    whole, fraction, suffix = match[1].replace(",", "").replace("_", ""), match[2] or "", match[3]
    suffixes = _SUFFIXES[unit]
    if suffix not in suffixes:
        number = match[1] + (f".{fraction}" if fraction else "")
        raise UsageError(_wrong_suffix(suffix, unit, metric), hint=_suffix_hint(number, suffix, unit, metric))
    one: int = 10 ** len(fraction)
    value, rest = divmod(int(whole + fraction) * suffixes[suffix], one)
    if rest:
        raise UsageError(f"'{text}' is not a whole {_WHOLE[unit]}", hint=f"write {_example(metric, unit)}")
    return value


def write_quantity(value: int, unit: Unit) -> str:
    """A number as a config writes it, exact, with the largest decimal unit it is short in.

    >>> write_quantity(331_000_000, Unit.COUNT), write_quantity(1_234_567, Unit.COUNT)
    ('331M', '1234567')
    >>> write_quantity(20_500_000, Unit.BYTES), write_quantity(13_600_000, Unit.TIME)
    ('20.5MB', '13.6ms')
    """
    for symbol, power in _WRITTEN[unit]:
        whole, rest = divmod(value, 10**power)
        fraction = f"{rest:0{power}}".rstrip("0") if rest else ""
        if whole and len(fraction) <= 2:
            return f"{whole}{'.' if fraction else ''}{fraction}{symbol}"
    return f"{value}{_WRITTEN[unit][-1][0]}"


def limit_with_headroom(value: int, headroom: Fraction) -> int:
    """The value and its headroom, rounded up to three digits, so that it reads well.

    >>> from fractions import Fraction
    >>> limit_with_headroom(300_774_272, Fraction(1, 10)), limit_with_headroom(7, Fraction(0))
    (331000000, 7)
    """
    wanted = -(-value * (1 + headroom).numerator // (1 + headroom).denominator)
    step: int = 10 ** max(len(str(wanted)) - 3, 0)
    return -(-wanted // step) * step


def parse_percent(text: str) -> Fraction | None:
    """The exact share that `5%`, `+5%` or `+2.5 %` says; None for a text of another form.

    >>> parse_percent("+2.5%"), parse_percent("5")
    (Fraction(1, 40), None)
    """
    from fractions import Fraction

    match = _PERCENT.fullmatch(text.strip())
    return Fraction(match[1]) / 100 if match else None


def format_percent(share: Fraction) -> str:
    """A share with its sign and as many decimals as tell it from zero, two at least where it is small.

    >>> from fractions import Fraction
    >>> format_percent(Fraction(1, 20)), format_percent(Fraction(-6, 7)), format_percent(Fraction(1, 30000))
    ('+5 %', '-85.7 %', '+0.003 %')
    """
    from fractions import Fraction

    for decimals in (0, 1, 2, 3, 4, 5, 6):
        text = f"{float(100 * share):+.{decimals}f} %"
        exact = Fraction(text.removesuffix(" %")) == 100 * share
        if exact or (decimals and Fraction(text.removesuffix(" %"))):
            return text
    return f"{float(100 * share):+.1e} %"


def _rounded(value: int, one: int) -> str:
    """`value / one` to two decimals, or to one from a hundred on; halves away from zero."""
    hundredths = (200 * value + one) // (2 * one)
    if hundredths < 100 * 100:
        return f"{hundredths // 100}.{hundredths % 100:02}"
    tenths = (20 * value + one) // (2 * one)
    return f"{tenths // 10}.{tenths % 10}"


def _one_thousand(step: tuple[int, int, str]) -> str:
    """How a value that rounds up to the next unit would read: `1000.0 k` for what is `1.00 M`."""
    return f"1000.0 {step[2]}"


def example_of(unit: Unit) -> str:
    """A value of that unit, for hints that say what to write.

    >>> example_of(Unit.TIME)
    '12ms'
    """
    return _EXAMPLES[unit]


def _example(metric: str, unit: Unit) -> str:
    return f"{metric}={_EXAMPLES[unit]}"


def _wrong_suffix(suffix: str, unit: Unit, metric: str) -> str:
    if unit is Unit.TIME:
        return _wrong_time(suffix, metric)
    if suffix in _TIME_SUFFIXES:
        return f"{metric} is a {_WHOLE[unit]}, not a time"
    if unit is Unit.COUNT and suffix in _BYTES_SUFFIXES:
        return f"{metric} is a count, not a number of bytes"
    if unit is Unit.BYTES and suffix in _COUNT_SUFFIXES:
        return f"{metric} is in bytes, and '{suffix}' does not say bytes"
    if unit is Unit.COUNT and suffix == "m":
        return f"'m' means thousandths, and {metric} is a whole count"
    return f"'{suffix}' is not a unit of {metric}"


def _wrong_time(suffix: str, metric: str) -> str:
    if not suffix:
        return f"{metric} is a time, and the number does not say of which unit"
    if suffix in ("m", "M"):
        return f"'{suffix}' could mean minutes or milliseconds"
    return f"'{suffix}' is not a unit of time"


def _suffix_hint(number: str, suffix: str, unit: Unit, metric: str) -> str:
    """What the reader most likely meant, as something to type."""
    if unit is Unit.TIME:
        return f"write {metric}={number}ms" if suffix.lower() in ("", "m") else f"write {_example(metric, unit)}"
    if suffix in _TIME_SUFFIXES:
        return f"write latency={number}{suffix} if you mean latency, {_example(metric, unit)} if not"
    prefix = suffix[:1]
    if unit is Unit.BYTES:
        prefix = "k" if prefix in ("k", "K") else prefix.upper()
        return (
            f"write {metric}={number}{prefix}B" if prefix in ("k", "M", "G", "T") else f"write {_example(metric, unit)}"
        )
    prefix = prefix if prefix == "k" else prefix.upper()
    if prefix not in _COUNT_SUFFIXES:
        return f"write {_example(metric, unit)}"
    names = {"flop": "flops", "mac": "macs"}
    named = next((name for word, name in names.items() if word in suffix.lower()), metric)
    return f"write {named}={number}{prefix}" + ("" if named == metric else f" if you mean {named}")
