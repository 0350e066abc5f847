"""Files that are there whole or not at all: written aside, then renamed."""

from __future__ import annotations

import contextlib
import errno
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from convcost.errors import UsageError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def write_whole(files: Mapping[Path, str]) -> None:
    """Writes every file aside before the first is renamed into place; raises `UsageError`, and leaves nothing behind.

    What is not a regular file (a pipe, /dev/stdout) is written to directly, as long as anybody reads it; a link keeps
    pointing where it did.
    """
    aside: dict[Path, Path] = {}
    try:
        for path, text in files.items():
            try:
                _write(path, text, aside)
            except OSError as error:
                raise _unwritable(path, error) from error
        for target, temporary in list(aside.items()):
            temporary.replace(target)
            del aside[target]
    finally:
        for temporary in aside.values():
            with contextlib.suppress(OSError):
                temporary.unlink()


@contextlib.contextmanager
def open_whole(path: Path) -> Iterator[BinaryIO]:
    """The same for a file too long to hold in memory: it takes its place when the block ends without an error.

    Raises `UsageError` for what cannot be opened or written.
    """
    aside: dict[Path, Path] = {}
    try:
        with _opened(path, aside) as stream:
            yield stream
        for target, temporary in aside.items():
            temporary.replace(target)
        aside.clear()
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        for temporary in aside.values():
            with contextlib.suppress(OSError):
                temporary.unlink()


def refuse_unwritable(paths: Iterable[Path]) -> None:
    """Raises, before long work, the `UsageError` that writing them would end it with; leaves nothing behind."""
    import tempfile

    for path in paths:
        try:
            if _is_no_file(path):
                continue
            with tempfile.TemporaryFile(dir=_target(path).parent):
                pass
        except OSError as error:
            raise _unwritable(path, error) from error


def _write(path: Path, text: str, aside: dict[Path, Path]) -> None:
    with _opened(path, aside) as stream:
        stream.write(text.encode(errors="replace"))


@contextlib.contextmanager
def _opened(path: Path, aside: dict[Path, Path]) -> Iterator[BinaryIO]:
    """A stream into a new file beside the one that `aside` then says it is to become; into `path` if that is a pipe."""
    if _is_no_file(path):
        with io.BufferedWriter(_Pipe(path, "wb")) as stream:
            yield stream
        return
    import tempfile

    target = _target(path)
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    aside[target] = Path(name)
    with os.fdopen(descriptor, "wb") as stream:
        yield stream
        stream.flush()
        os.fsync(stream.fileno())
    Path(name).chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())


class _Pipe(io.FileIO):
    """What a reader that has gone away, such as `head`, has left unread is lost, and no error."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes


def _is_no_file(path: Path) -> bool:
    """A pipe or a device, which is written to where it is."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _target(path: Path) -> Path:
    """The file behind any links; raises `OSError` for a folder."""
    target = path.resolve()
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    return target


def _umask() -> int:
    """The process's mask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"cannot write '{path}': {error.strerror or error}", hint=_hint(path, error))


def _hint(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free some space, or name a file on another disk"
    if not path.parent.is_dir():
        return f"make the folder first: mkdir -p '{path.parent}'"
    return "name a file in a folder that can be written to"
