"""The small grammars of option values."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from convcost.errors import UsageError
from convcost.graph import DType
from convcost.sources.request import InputSpec

_INPUT = re.compile(r"(?:(?P<name>.+)=)?(?P<shape>[^=:]*)(?::(?P<dtype>[^=:]+))?")
_SIZES = re.compile(r"\d{1,18}(?:[xX×,]\d{1,18})*", re.ASCII)
_DTYPES = {str(dtype.value): dtype for dtype in DType}
_EXAMPLE = "write 1x3x224x224, name=1x3x224x224 or name=1x3x224x224:float16"


def parse_input(text: str) -> InputSpec:
    """Reads `[NAME=]1x3x224x224[:DTYPE]`; raises `UsageError`.

    >>> parse_input("ids=1x128:int64")
    InputSpec(shape=(1, 128), name='ids', dtype=<DType.INT64: 'int64'>)
    """
    match = _INPUT.fullmatch(text.strip())
    if match is None or _SIZES.fullmatch(match["shape"]) is None:
        raise UsageError(f"--input '{text}' is not a shape", hint=_EXAMPLE)
    shape = tuple(int(size) for size in re.split("[xX×,]", match["shape"]))
    if 0 in shape:
        raise UsageError(f"--input '{text}' has a size of zero", hint="every size is at least 1")
    dtype = _DTYPES[one_of(match["dtype"], _DTYPES, option="the type of --input")] if match["dtype"] else None
    return InputSpec(shape=shape, name=match["name"], dtype=dtype)


def parse_dim(text: str) -> tuple[str, int]:
    """Reads `NAME=VALUE`; raises `UsageError`.

    >>> parse_dim("batch=8")
    ('batch', 8)
    """
    name, _, value = text.rpartition("=")
    if not name.strip() or not re.fullmatch(r"\d{1,18}", value, re.ASCII) or int(value) < 1:
        raise UsageError(f"--dim '{text}' is not NAME=VALUE", hint="write --dim batch=8, a whole number of at least 1")
    return name.strip(), int(value)


def one_of(value: str, choices: Iterable[str], *, option: str) -> str:
    """The value, if it is one of the choices; raises `UsageError` with the nearest.

    >>> one_of("json", ("table", "json"), option="--format")
    'json'
    """
    known = list(choices)
    if value in known:
        return value
    near = difflib.get_close_matches(value, known, n=1)
    raise UsageError(
        f"{option} is one of {', '.join(known)}, not '{value}'",
        hint=f"did you mean {near[0]}?" if near else f"such as {known[0]}",
    )


def seconds(text: str | None, *, option: str) -> float | None:
    """A time of more than nothing, in seconds, or None where the option was not given; raises `UsageError`.

    >>> seconds("2.5s", option="--max-time")
    2.5
    """
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,6}(?:\.\d{1,6})? ?s?", text, re.ASCII) or not float(text.rstrip(" s")):
        raise UsageError(f"{option} takes seconds, not '{text}'", hint=f"write {option} 30 or {option} 2.5")
    return float(text.rstrip(" s"))


def at_least_one(text: str | None, *, option: str) -> int | None:
    """A whole number from 1 on, or None where the option was not given; raises `UsageError`."""
    if text is None:
        return None
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or int(text) < 1:
        raise UsageError(f"{option} takes a whole number of at least 1, not '{text}'", hint=f"write {option} 1 or more")
    return int(text)
