"""Values of a file with their places, read by closed types and strict keys."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TypeAlias, TypeVar

from convcost.dataclasses import dataclass
from convcost.errors import SourceError

Scalar: TypeAlias = "str | int | float | bool | None"
_Word = TypeVar("_Word", bound=str)


class LocatedError(SourceError):
    """A file says, at the place its message begins with, something that cannot be meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place in a file; lines and columns count from 1, as editors do."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def error(self, message: str, *, hint: str | None = None) -> LocatedError:
        """The error to raise about what stands here."""
        return LocatedError(f"{self}: {message}", hint=hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedScalar:
    """Text, a number, true, false or null. Only plain (unquoted) forms are anything but text."""

    value: Scalar
    where: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedList:
    """Values in order."""

    items: tuple[Located, ...]
    where: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedMapping:
    """Values by key, in the file's order; `key_places` says where each key itself stands."""

    entries: Mapping[str, Located]
    key_places: Mapping[str, Location]
    where: Location

    def check_keys(self, known: Iterable[str], *, of: str, elsewhere: Mapping[str, str] | None = None) -> None:
        """Raises `LocatedError` at the first key that is not `known`; `of` names the mapping ("a conv layer").

        `elsewhere` has the hints about keys that belong to another place of the file.
        """
        known = tuple(known)
        for key, where in self.key_places.items():
            if key not in known:
                hint = (elsewhere or {}).get(key) or nearest(key, known, what="keys")
                raise where.error(f"unknown key {quoted(key)} in {of}", hint=hint)

    def required(self, key: str, *, of: str) -> Located:
        """The value of a key that must be there."""
        if key not in self.entries:
            raise self.where.error(f"{of} has no '{key}'", hint=f"add '{key}'")
        return self.entries[key]


Located: TypeAlias = LocatedScalar | LocatedList | LocatedMapping


def text_of(value: Located, key: str) -> str:
    """Text as written; a number or a word such as `true` must be quoted to be text."""
    if isinstance(value, LocatedScalar) and isinstance(value.value, str):
        return value.value
    raise value.where.error(f"{key} must be text, not {shown(value)}", hint="numbers, true and false need quotes")


def flag_of(value: Located, key: str) -> bool:
    """`true` or `false`, and nothing that merely looks like it."""
    if isinstance(value, LocatedScalar) and isinstance(value.value, bool):
        return value.value
    raise value.where.error(f"{key} must be true or false, not {shown(value)}", hint=f"such as {key}: true")


def integer_of(value: Located, key: str, *, least: int, most: int, wanted: str = "a whole number") -> int:
    """An integer within bounds; `wanted` says what the key takes where that is more than a number."""
    if not isinstance(value, LocatedScalar) or isinstance(value.value, bool) or not isinstance(value.value, int):
        hint = f"such as {key}: {max(least, 1)}"
        raise value.where.error(f"{key} must be {wanted}, not {shown(value)}", hint=hint)
    bound = f"at least {least}" if value.value < least else f"at most {most}" if value.value > most else ""
    if bound:
        hint = f"{key} takes whole numbers from {least} to {most}"
        raise value.where.error(f"{key} must be {bound}, not {value.value}", hint=hint)
    return value.value


def choice_of(value: Located, key: str, choices: Iterable[_Word]) -> _Word:
    """One word of a closed set."""
    choices = tuple(choices)
    written = value.value if isinstance(value, LocatedScalar) else None
    for choice in choices:
        if choice == written:
            return choice
    hint = nearest(written if isinstance(written, str) else "", choices, what="values")
    raise value.where.error(f"{key} cannot be {shown(value)}", hint=hint)


def list_of(value: Located, key: str) -> tuple[Located, ...]:
    """The items of a list, which may be empty."""
    if isinstance(value, LocatedList):
        return value.items
    raise value.where.error(f"{key} must be a list, not {shown(value)}", hint="one item a line, each after '- '")


def mapping_of(value: Located, what: str) -> LocatedMapping:
    """A mapping; `what` names it in the complaint ("a layer")."""
    if isinstance(value, LocatedMapping):
        return value
    raise value.where.error(f"{what} must be a mapping, not {shown(value)}", hint="one 'key: value' a line")


def shown(value: Located) -> str:
    """A value as a complaint quotes it: scalars in YAML's own words, anything larger by its kind."""
    match value:
        case LocatedList():
            return "a list"
        case LocatedMapping():
            return "a mapping"
        case LocatedScalar(value=None):
            return "nothing"
        case LocatedScalar(value=bool(flag)):
            return "true" if flag else "false"
        case LocatedScalar(value=str(text)):
            return quoted(text)
        case LocatedScalar(value=number):
            return str(number)


def quoted(text: str) -> str:
    """Text between quotes, shortened, with what a terminal could act on escaped."""
    return repr(text if len(text) <= 40 else text[:39] + "…")


def nearest(word: str, known: Iterable[str], *, what: str) -> str:
    """The hint for a word that is not known: the one it resembles, or all of them."""
    known = tuple(known)
    close = difflib.get_close_matches(word[:40], known, n=1)
    return f"did you mean '{close[0]}'?" if close else f"known {what}: {', '.join(known)}"
