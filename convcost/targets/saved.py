"""Saved reports from disk."""

from __future__ import annotations

import json
import math
from pathlib import Path

from convcost.analysis import Analysis, Json
from convcost.analysis.saved import read_analysis
from convcost.errors import SourceError


def read_saved(path: str) -> Analysis:
    """The analysis a report was saved of; raises `SourceError` for any other file."""
    document = read_json(path)
    if isinstance(document, dict) and isinstance(several := document.get("analyses"), list):
        if len(several) != 1:
            hint = "save each model's report in a file of its own"
            raise SourceError(f"{path}: holds {len(several)} analyses, not one", hint=hint)
        document = several[0]
    return read_analysis(document, named=path)


MAX_FILE_BYTES = 256 << 20
"""Of a saved report: that of a network of half a million layers is smaller."""

MAX_DIGITS = 300
"""Of a number: more than the product of any real sizes has, and few enough for every figure made of it."""


def read_json(path: str) -> Json:
    """Any JSON file; raises `SourceError` for what cannot be read, NaN and endless numbers among it."""
    try:
        content = _content(path)
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file", hint="check the path, relative to where you are") from None
    except (OSError, ValueError) as error:  # the latter for a name with a NUL in it
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SourceError(f"{path}: cannot be read: {reason}") from None
    return parse_json(content, path)


def parse_json(content: bytes, path: str) -> Json:
    """The document in some bytes of the file at `path`; raises `SourceError` as `read_json` does."""
    try:
        document: Json = json.loads(content, parse_constant=_refuse, parse_int=_whole, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise SourceError(
            f"{path}: not JSON: {error}", hint="is this a report saved with --export json=FILE?"
        ) from None
    return document


def _content(path: str) -> bytes:
    with Path(path).open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise SourceError(f"{path}: larger than {MAX_FILE_BYTES:,} bytes", hint="is this the file you meant?")
    return content


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not a number of JSON")


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number of {len(text)} digits, more than {MAX_DIGITS}")
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refuse(text[:MAX_DIGITS])
