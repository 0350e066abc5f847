"""One value out of a report's JSON, by its path."""

from __future__ import annotations

import difflib
import json

from convcost.analysis import Json
from convcost.analysis.metrics import METRICS
from convcost.errors import UsageError


def query(document: Json, path: str) -> list[str]:
    """The value at `totals.macs` as text, one for each of several analyses; a metric alone means its total.

    `analyses.0.totals.macs` is the first one's, and `failures` what could not be analyzed.
    List elements are reached by position (`layers.0.macs`) or by their `name` (`layers.[conv1].macs`).
    Raises `UsageError` for a path that leads nowhere, or to more than one value.
    """
    full = f"totals.{path}" if path in {metric.name for metric in METRICS} else path
    if isinstance(document, dict) and isinstance(several := document.get("analyses"), list) and of_each(path):
        return [_scalar(one, full) for one in several]
    return [_scalar(document, full)]


def of_each(path: str) -> bool:
    """Whether a path is within each of several analyses, not within the list of them."""
    return _next_key(path)[0] not in ("analyses", "failures")


def _scalar(document: Json, path: str) -> str:
    value: Json = document
    rest, so_far = path, ""
    while rest:
        key, rest = _next_key(rest)
        value = _step(value, key, so_far)
        so_far = f"{so_far}.{key}" if so_far else key
    if isinstance(value, dict | list):
        raise UsageError(f"--query {path} is not one value", hint=_choices(value, path))
    return value if isinstance(value, str) else json.dumps(value)


def _next_key(path: str) -> tuple[str, str]:
    """The first part of a path, and the rest; a part in brackets may hold dots."""
    if path.startswith("[") and "]" in path:
        end = path.index("]")
        return path[: end + 1], path[end + 1 :].removeprefix(".")
    key, _, rest = path.partition(".")
    return key, rest


def _step(value: Json, key: str, so_far: str) -> Json:
    if isinstance(value, dict) and key in value:
        return value[key]
    if isinstance(value, list):
        if key.isascii() and key.isdigit() and len(key) < 10 and int(key) < len(value):
            return value[int(key)]
        for item in value:
            if isinstance(item, dict) and key == f"[{item.get('name')}]":
                return item
    where = f"in {so_far}" if so_far else "in the report"
    raise UsageError(f"--query finds no '{key}' {where}", hint=_nearest(value, key, so_far))


def _nearest(value: Json, key: str, so_far: str) -> str:
    near = difflib.get_close_matches(key, value, n=1) if isinstance(value, dict) else []
    prefix = f"{so_far}." if so_far else ""
    return f"did you mean {prefix}{near[0]}?" if near else _choices(value, so_far)


def _choices(value: Json, path: str) -> str:
    match value:
        case dict():
            return f"choose from {', '.join(value)}"
        case list() if value:
            return f"choose one of {len(value)}: {path}.0 and so on"
        case list():
            return f"{path} is empty"
        case _:
            return f"{path} is a value already" if path else "the report is a value"
