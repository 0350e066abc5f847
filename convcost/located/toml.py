"""One table of a TOML file as located values: tomllib reads the values, a scan of the same text finds their places.

tomllib forgets where things stand. The scan trusts a text that tomllib has accepted, and so needs to know no more
of the grammar than where keys and values begin and end.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import TypeAlias

from convcost.errors import SourceError
from convcost.located.values import Located, LocatedList, LocatedMapping, LocatedScalar, Location

Path: TypeAlias = tuple[str | int, ...]

_SKIP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BLANK = re.compile(r"[ \t]*")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'',
    re.DOTALL,
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_PLAIN = re.compile(r"[^,\]}#\n]+")
MAX_DEPTH = 32
# Before anything reads it: the time tomllib takes for a dotted key grows with the square of its parts.
_DEEP_KEY = re.compile(
    rf"""(?:\.[ \t]*(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')[ \t]*){{{MAX_DEPTH}}}""",
)
_ERROR = re.compile(r"(.*) \(at line (\d+), column (\d+)\)")


def parse_toml(text: str, *, file: str, table: Sequence[str]) -> Located | None:
    """The value of a table such as `("tool", "convcost")` with its places; None where the file has none.

    Raises `LocatedError` for a text that is not TOML or nested too deep, and for dates, which nothing here takes.
    """
    value = _read(text, file)
    for key in table:
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    places = _Places(text.replace("\r\n", "\n"), file)
    places.scan()
    return _located(value, tuple(table), places)


def _read(text: str, file: str) -> object:
    if deep := _DEEP_KEY.search(text):
        before = text[: deep.start()]
        where = Location(file=file, line=before.count("\n") + 1, column=len(before) - before.rfind("\n"))
        raise where.error(f"keys nested more than {MAX_DEPTH} deep", hint="a config needs far less")
    start = Location(file=file, line=1, column=1)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise start.error("values nested too deep", hint="a config needs far less") from None
    except ValueError as error:  # also of a number that is longer than Python reads
        match = _ERROR.fullmatch(str(error))
        where = Location(file=file, line=int(match[2]), column=int(match[3])) if match else start
        raise where.error(f"not valid TOML: {match[1] if match else error}") from None


def _located(value: object, path: Path, places: _Places) -> Located:
    where = places.of(path)
    match value:
        case dict():
            entries = {key: _located(item, (*path, key), places) for key, item in value.items()}
            keys = {key: places.key((*path, key)) for key in value}
            return LocatedMapping(entries=entries, key_places=keys, where=where)
        case list():
            return LocatedList(
                items=tuple(_located(item, (*path, at), places) for at, item in enumerate(value)), where=where
            )
        case bool() | int() | float() | str():
            return LocatedScalar(value=value, where=where)
        case _:
            raise where.error("dates and times have no meaning here", hint="quote it if it is text")


class _Places:
    """Where every key and value of a TOML text begins, by its path; items of a list by their position."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._at = 0
        self._values: dict[Path, int] = {}
        self._keys: dict[Path, int] = {}
        self._tables: dict[Path, int] = {}

    def of(self, path: Path) -> Location:
        return self._location(self._values.get(path, self._keys.get(path, 0)))

    def key(self, path: Path) -> Location:
        return self._location(self._keys.get(path, self._values.get(path, 0)))

    def scan(self) -> None:
        table: Path = ()
        while self._skip():
            table = self._header() if self._text[self._at] == "[" else self._pair(table)

    def _header(self) -> Path:
        """`[a.b]`, or `[[a.b]]`, which begins the next item of a list."""
        start = self._at
        many = self._text.startswith("[[", start)
        self._at += 2 if many else 1
        path: Path = ()
        for key in self._dotted("]"):
            path = self._latest((*path, key))
            self._keys.setdefault(path, start)
        self._at += 2 if many else 1
        if many:
            parent = path[:-1] if isinstance(path[-1], int) else path
            self._tables[parent] = self._tables.get(parent, -1) + 1
            path = (*parent, self._tables[parent])
        self._values.setdefault(path, start)
        return path

    def _latest(self, path: Path) -> Path:
        """The path as it stands below a list of tables: in the item begun last."""
        return (*path, self._tables[path]) if path in self._tables else path

    def _pair(self, table: Path) -> Path:
        start, path = self._at, table
        for key in self._dotted("="):
            path = (*path, key)
            self._keys.setdefault(path, start)
        self._at += 1
        self._at = _end(_BLANK, self._text, self._at)
        self._value(path)
        return table

    def _dotted(self, end: str) -> list[str]:
        keys = []
        while self._text[self._at] != end:
            if self._text[self._at] in " \t.":
                self._at += 1
                continue
            quote = _STRING.match(self._text, self._at)
            found = quote or _BARE_KEY.match(self._text, self._at)
            if found is None:
                raise self._location(self._at).error("a key that cannot be placed")
            self._at = found.end()
            keys.append(str(next(iter(tomllib.loads(f"{found[0]} = 0")))) if quote else found[0])
        return keys

    def _value(self, path: Path) -> None:
        self._values[path] = self._at
        first = self._text[self._at]
        if first == "[":
            self._array(path)
        elif first == "{":
            self._inline_table(path)
        else:
            self._at = _end(_STRING if first in "\"'" else _PLAIN, self._text, self._at)

    def _array(self, path: Path) -> None:
        self._at += 1
        count = 0
        while self._skip() and self._text[self._at] != "]":
            if self._text[self._at] == ",":
                self._at += 1
                continue
            self._value((*path, count))
            count += 1
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while self._skip() and self._text[self._at] != "}":
            if self._text[self._at] == ",":
                self._at += 1
                continue
            self._pair(path)
        self._at += 1

    def _skip(self) -> bool:
        """Over blanks, line ends and comments; False at the end of the text."""
        self._at = _end(_SKIP, self._text, self._at)
        return self._at < len(self._text)

    def _location(self, at: int) -> Location:
        before = self._text[:at]
        return Location(file=self._file, line=before.count("\n") + 1, column=at - before.rfind("\n"))


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    if match is None:
        raise SourceError("this TOML cannot be read", hint="write the config as convcost.yaml")
    return match.end()
