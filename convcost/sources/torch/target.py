"""The spelling of a PyTorch target: `where:what?argument=value`."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from convcost.dataclasses import dataclass
from convcost.errors import SourceError, UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`place` is a library, a dotted module, or a file; `name` the model or factory in it."""

    text: str
    place: str
    name: str
    arguments: Mapping[str, object]

    @property
    def is_file(self) -> bool:
        return self.place.endswith(".py") or "/" in self.place or "\\" in self.place


def parse_target(text: str) -> Target:
    """Splits a target; arguments are Python literals where they can be, else strings.

    Raises `SourceError` for a target without a name, `UsageError` for arguments without a value.
    """
    path, _, query = text.partition("?")
    place, colon, name = path.rpartition(":")
    if not colon or not place or not name:
        raise SourceError(f"'{text}' names no factory", hint="write package.module:factory or path/file.py:factory")
    return Target(text=text, place=place, name=name, arguments=_arguments(query, text))


def _arguments(query: str, text: str) -> dict[str, object]:
    arguments: dict[str, object] = {}
    for part in query.split("&") if query else ():
        name, equals, value = part.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"'{part}' in '{text}' is not an argument", hint="write ?name=value&other=value")
        if name in arguments:
            raise UsageError(f"'{name}' is given twice in '{text}'")
        arguments[name] = _literal(value)
    return arguments


def _literal(value: str) -> object:
    """The Python literal a text spells, else the text.

    >>> _literal("10"), _literal("None"), _literal("relu")
    (10, None, 'relu')
    """
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return value
