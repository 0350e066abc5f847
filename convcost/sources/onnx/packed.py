"""The bytes of a model as a file that can be mapped: as it lies, unpacked from gzip, or from standard input."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from convcost.dataclasses import dataclass
from convcost.errors import SourceError

STANDARD_INPUT = "-"

MOST_UNPACKED_BYTES = 2**31 - 1
"""What is unpacked or piped may be as large as a protobuf message, which is what an ONNX file is."""

STRUCTURE_PER_PACKED_BYTE = 50
"""Structure of real graphs packs about ten to one; only weights, which are not kept, may pack further."""

ALWAYS_ALLOWED_STRUCTURE = 64 << 20

_GZIP = b"\x1f\x8b"  # field 3 with wire type 7: no protobuf message starts so
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A file at its start; `most_structure` is how many bytes its structure may come to without its weights."""

    file: BinaryIO
    most_structure: int = MOST_UNPACKED_BYTES


def is_packed(path: str) -> bool:
    """Whether the target is no plain file, so that nothing can be read from it again by its offset."""
    return path == STANDARD_INPUT or path.endswith(".gz")


@contextmanager
def opened(path: str) -> Iterator[Opened]:
    """The target's bytes in a file that has no name where it is temporary, and so is gone even after a crash.

    Standard input is read once and kept until the program ends. Raises `OSError` for what cannot be opened, and
    `SourceError` for damaged gzip data or more than `MOST_UNPACKED_BYTES`.
    """
    if path == STANDARD_INPUT:
        yield _standard_input(_piped())
    elif is_packed(path):
        with Path(path).open("rb") as packed, _nameless_file() as plain:
            yield _unpacked(packed, plain, path)
    else:
        with Path(path).open("rb") as file:
            yield Opened(file=file)


def _nameless_file() -> BinaryIO:
    import tempfile

    return tempfile.TemporaryFile(prefix="convcost-")


def _piped() -> BinaryIO:
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        raise SourceError("-: no model is piped into standard input", hint="convcost analyze - < model.onnx")
    return sys.stdin.buffer


@lru_cache(maxsize=1)
def _standard_input(stream: BinaryIO) -> Opened:
    """Kept, because a sweep or a second look at a model reads its target again and a pipe can be read once."""
    return _unpacked(stream, _nameless_file(), STANDARD_INPUT)


def _unpacked(packed: BinaryIO, plain: BinaryIO, path: str) -> Opened:
    chunks = _Chunks(packed, path)
    written = 0
    for chunk in chunks:
        written += len(chunk)
        if written > MOST_UNPACKED_BYTES:
            raise SourceError(
                f"{path}: holds more than {MOST_UNPACKED_BYTES:,} bytes, which no ONNX file may",
                hint="save the model with external data and name its .onnx file",
            )
        plain.write(chunk)
    plain.flush()
    return Opened(file=plain, most_structure=chunks.most_structure())


class _Chunks:
    """The stream's bytes, unpacked if they are gzip's; memory holds one chunk, whatever the lengths in the file say."""

    def __init__(self, packed: BinaryIO, path: str) -> None:
        self._packed = packed
        self._path = path
        self._read = 0
        self._gzip = False

    def __iter__(self) -> Iterator[bytes]:
        first = self._next()
        self._gzip = first[:2] == _GZIP
        try:
            yield from self._inflated(first) if self._gzip else self._plain(first)
        except zlib.error as error:
            raise self._damaged(str(error)) from error

    def most_structure(self) -> int:
        """In bytes, for what has been read."""
        if not self._gzip:
            return MOST_UNPACKED_BYTES
        return min(max(ALWAYS_ALLOWED_STRUCTURE, STRUCTURE_PER_PACKED_BYTE * self._read), MOST_UNPACKED_BYTES)

    def _next(self) -> bytes:
        chunk = self._packed.read(_CHUNK)
        self._read += len(chunk)
        return chunk

    def _plain(self, chunk: bytes) -> Iterator[bytes]:
        while chunk:
            yield chunk
            chunk = self._next()

    def _inflated(self, data: bytes) -> Iterator[bytes]:
        """Every member of the file, one after the other; zeros after the last are padding."""
        while data:
            member = zlib.decompressobj(wbits=31)
            while not member.eof:
                yield member.decompress(data, _CHUNK)
                data = member.unconsumed_tail or (b"" if member.eof else self._next())
                if not data and not member.eof:
                    raise self._damaged("it ends too early")
            data = (member.unused_data or self._next()).lstrip(b"\0")

    def _damaged(self, why: str) -> SourceError:
        return SourceError(
            f"{self._path}: not whole gzip data: {why}", hint="pack or download it again; gunzip -t tests it"
        )
