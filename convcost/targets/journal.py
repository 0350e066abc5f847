"""What a long run has done so far, kept in a file so that it can go on where it stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from convcost import __version__
from convcost.analysis import Analysis, Json
from convcost.analysis.saved import read_analysis
from convcost.errors import SourceError, UsageError
from convcost.sources.request import Request, is_saved
from convcost.targets.saved import parse_json
from convcost.targets.written import request_json

SCHEMA = "convcost/journal/1"
_HEADER: Json = {"schema": SCHEMA}
_LONGEST_HEADER = 1000


class Journal:
    """A JSON line for each file analyzed, under a header. Nothing else is ever appended to.

    An entry holds for the same file (path, size and time of change), read with the same options by the same version
    of convcost. What is no file is not kept: nothing says whether the code behind `pkg:factory` is still the same.
    Failures are not kept either, and are tried again. Raises `UsageError` for a file that is something else or cannot
    be written.
    """

    def __init__(self, path: str, *, backward: bool) -> None:
        self._path, self._backward = path, backward
        self._known: dict[str | None, Json] = {}
        try:
            # Unbuffered, so that each line is one write: those of two runs on one journal do not mix.
            self._stream = Path(path).open("ab+", buffering=0)  # noqa: SIM115 - closed by __exit__
            self._read()
        except OSError as error:
            hint = "name a file that can be written"
            raise UsageError(f"cannot keep a journal in '{path}': {error.strerror or error}", hint=hint) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stream.close()

    def key(self, request: Request) -> str | None:
        """A digest of all that the analysis of a file depends on, as it is now; None where that cannot be known."""
        path = Path(request.target)
        if ":" in request.target or is_saved(request.target) or not path.is_file():
            return None
        state = path.stat()
        file = [str(path.resolve()), state.st_size, state.st_mtime_ns]
        told = json.dumps([__version__, file, request_json(request), self._backward])
        return hashlib.sha256(told.encode()).hexdigest()

    def recall(self, key: str | None) -> Analysis | None:
        """What is known under that key."""
        if key not in self._known:
            return None
        with _advising():
            return read_analysis(self._known[key], named=self._path)

    def keep(self, key: str | None, analysis: Analysis) -> None:
        """Appends an entry, with the system when this returns."""
        if key is not None:
            self._append({"key": key, "target": analysis.target, "analysis": analysis.to_json()})

    def _read(self) -> None:
        self._stream.seek(0)
        content = self._stream.read()
        whole = content[: content.rfind(b"\n") + 1]
        lines = whole.splitlines()
        if not (_is_header(lines[0]) if lines else _line(_HEADER).startswith(content)):
            raise UsageError(
                f"'{self._path}' is no journal of convcost",
                hint="--resume takes a file of its own, made by the first run",
            )
        # A line that a killed run left half written would spoil the next one.
        self._stream.truncate(len(whole))
        for line in lines[1:]:
            if _is_header(line):  # of another run that began at the same moment
                continue
            with _advising():
                entry = parse_json(line, self._path)
                if not isinstance(entry, dict) or not isinstance(entry.get("key"), str):
                    raise SourceError(f"{self._path}: holds a line that is no entry")
            self._known[str(entry["key"])] = entry.get("analysis")
        if not lines:
            self._append(_HEADER)

    def _append(self, entry: Json) -> None:
        left = _line(entry)
        while left:
            left = left[self._stream.write(left) :]


@contextmanager
def _advising() -> Iterator[None]:
    """What spoils an entry could spoil a saved report, but there is another way out."""
    try:
        yield
    except SourceError as error:
        raise SourceError(error.message, hint="the journal is damaged: delete it, and begin again") from error


def _line(entry: Json) -> bytes:
    return json.dumps(entry).encode() + b"\n"


def _is_header(line: bytes) -> bool:
    if len(line) > _LONGEST_HEADER:
        return False
    try:
        header = json.loads(line)
    except ValueError:
        return False
    return isinstance(header, dict) and header.get("schema") == SCHEMA
