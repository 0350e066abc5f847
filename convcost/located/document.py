"""YAML text to located values, with bounds that hold before anything grows."""

from __future__ import annotations

import codecs
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from convcost.errors import SourceError
from convcost.located.values import Located, LocatedList, LocatedMapping, LocatedScalar, Location, Scalar, quoted

if TYPE_CHECKING:
    import yaml

MAX_FILE_BYTES = 1024 * 1024
MAX_VALUES = 100_000  # an alias counts all that it stands for, so that a few lines cannot grow without end
MAX_DEPTH = 32
MAX_DIGITS = 18

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
# YAML 1.2's own forms. The older ones surprise: `3:3` would be 183 and `010` would be 8.
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def read_text(path: str, *, as_written: bool = False) -> str:
    """The text of a UTF-8 file of at most 1 MiB. Raises `SourceError` for what cannot be read.

    A byte order mark is no part of it, unless the text is to be written back `as_written`.
    """
    raw = _read_bytes(path)
    if not as_written:
        raw = raw.removeprefix(codecs.BOM_UTF8)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        raise _place(path, before).error("not UTF-8 text", hint="save the file as UTF-8") from None


def read_yaml(path: str) -> Located:
    """The one document of a UTF-8 file of at most 1 MiB. Raises `SourceError` for what cannot be read."""
    return parse_yaml(read_text(path), file=path)


def parse_yaml(text: str, *, file: str) -> Located:
    """The one document of a text; `file` is how places name it.

    Follows YAML 1.2 for plain values, so `yes` and `3:3` are text. Refuses tags, duplicate keys, a second
    document, nesting deeper than 32 and more than 100,000 values, aliases spelled out.
    """
    import yaml

    # The C parser does not look; the pattern is the pure-Python one's, which takes 3 ms to compile again.
    if bad := yaml.reader.Reader.NON_PRINTABLE.search(text):
        where = _place(file, text[: bad.start()])
        raise where.error(f"character {bad.group()!a} is not allowed in YAML", hint="is this a text file?")
    # The C parser is far faster and part of every usual PyYAML build; events are the same without it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Composer(yaml.parse(text, Loader=loader), file).document()
    except yaml.MarkedYAMLError as error:
        where = _at(file, error.problem_mark or error.context_mark)
        problem = " ".join(part for part in (error.context, error.problem) if part)
        raise where.error(f"not valid YAML: {problem}", hint=_syntax_hint(text, where)) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # The pure-Python scanner lets chr() fail on an escape such as "\UFFFFFFFF".
        first_line = str(error).partition("\n")[0]
        start = Location(file=file, line=1, column=1)
        raise start.error(f"not valid YAML: {first_line}", hint="look at the escapes in quoted text") from None


class _Composer:
    """One document's events to a value, with bounds that hold before anything grows."""

    def __init__(self, events: Iterator[yaml.Event], file: str) -> None:
        self._events = events
        self._file = file
        self._anchors: dict[str, tuple[Located, int]] = {}
        self._values = 0

    def document(self) -> Located:
        import yaml

        started = next(event for event in self._events if not isinstance(event, yaml.StreamStartEvent))
        if isinstance(started, yaml.StreamEndEvent):
            start = Location(file=self._file, line=1, column=1)
            raise start.error("the file is empty", hint="sample_configs/ shows what belongs in it")
        root = self._value(next(self._events), depth=0)
        next(self._events)
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self._at(after).error("a second document begins", hint="one file holds one document: remove '---'")
        return root

    def _value(self, event: yaml.Event, *, depth: int) -> Located:
        import yaml

        if isinstance(event, yaml.AliasEvent):
            return self._aliased(event)
        where, before = self._at(event), self._values
        self._count(1, where)
        if depth == MAX_DEPTH:
            raise where.error(f"nested more than {MAX_DEPTH} deep", hint="a config or a spec needs far less")
        value: Located
        if isinstance(event, yaml.ScalarEvent):
            _refuse_tag(event.tag, where)
            value = LocatedScalar(value=_resolve(event.value, where) if event.implicit[0] else event.value, where=where)
        elif isinstance(event, yaml.SequenceStartEvent):
            _refuse_tag(event.tag, where)
            items = tuple(self._value(item, depth=depth + 1) for item in self._until(yaml.SequenceEndEvent))
            value = LocatedList(items=items, where=where)
        else:
            value = self._mapping(event, where, depth)
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            self._anchors[event.anchor] = (value, self._values - before)
        return value

    def _mapping(self, start: yaml.Event, where: Location, depth: int) -> LocatedMapping:
        import yaml

        if isinstance(start, yaml.MappingStartEvent):
            _refuse_tag(start.tag, where)
        entries: dict[str, Located] = {}
        places: dict[str, Location] = {}
        for key in self._until(yaml.MappingEndEvent):
            place = self._at(key)
            self._count(1, place)
            if not isinstance(key, yaml.ScalarEvent) or key.tag is not None:
                raise place.error("a key must be plain text", hint="write key: value")
            if key.value in entries:
                raise place.error(f"key {quoted(key.value)} stands here a second time", hint="keep one of the two")
            places[key.value] = place
            entries[key.value] = self._value(next(self._events), depth=depth + 1)
        return LocatedMapping(entries=entries, key_places=places, where=where)

    def _until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        return itertools.takewhile(lambda event: not isinstance(event, end), self._events)

    def _aliased(self, event: yaml.AliasEvent) -> Located:
        where = self._at(event)
        if event.anchor not in self._anchors:
            raise where.error(
                f"alias {quoted(f'*{event.anchor}')} has no anchor before it", hint="write '&name' before a value first"
            )
        value, values = self._anchors[event.anchor]
        self._count(values, where)
        return value

    def _count(self, values: int, where: Location) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            raise where.error(f"more than {MAX_VALUES:,} values, aliases spelled out", hint="split the file")

    def _at(self, event: yaml.Event) -> Location:
        return _at(self._file, event.start_mark)


def _refuse_tag(tag: str | None, where: Location) -> None:
    if tag is not None:
        raise where.error(f"tags such as {quoted(tag)} are not supported", hint="write plain values")


def _resolve(text: str, where: Location) -> Scalar:
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if _INTEGER.fullmatch(text):
        digits = len(text.lstrip("+-"))
        if digits > MAX_DIGITS:
            raise where.error(f"a number of {digits} digits is too large", hint=f"{MAX_DIGITS} digits at most")
        return int(text)
    return float(text) if len(text) <= 40 and _FLOAT.fullmatch(text) else text


def _read_bytes(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file", hint="check the path, relative to where you are") from None
    except IsADirectoryError:
        raise SourceError(f"{path}: is a directory", hint="name a file inside it") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SourceError(f"{path}: cannot be read: {reason}", hint="check the path and its permissions") from None
    if len(raw) > MAX_FILE_BYTES:
        raise SourceError(f"{path}: larger than {MAX_FILE_BYTES:,} bytes", hint="is this the file you meant?")
    return raw


def _syntax_hint(text: str, where: Location) -> str:
    line = text.split("\n")[where.line - 1 : where.line]
    if "\t" in "".join(line)[where.column - 1 : where.column]:
        return "indent with spaces, not with tabs"
    return "look for a missing bracket, quote or colon, here or on the line above"


def _at(file: str, mark: yaml.error.Mark | yaml._yaml.Mark | None) -> Location:
    if mark is None:
        return Location(file=file, line=1, column=1)
    return Location(file=file, line=mark.line + 1, column=mark.column + 1)


def _place(file: str, before: str) -> Location:
    return Location(file=file, line=before.count("\n") + 1, column=len(before) - before.rfind("\n"))
