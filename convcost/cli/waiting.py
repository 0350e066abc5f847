"""A line on the terminal while something takes longer than half a second."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threading import Event

_PATIENCE = 0.5
_ERASE = "\r\x1b[K"


@contextlib.contextmanager
def waiting(doing: str) -> Iterator[None]:
    """Counts the seconds on stderr, if that is a terminal, and leaves no trace."""
    if not sys.stderr.isatty():
        yield
        return
    import threading

    done = threading.Event()
    counter = threading.Thread(target=_count, args=(doing, done), daemon=True)
    counter.start()
    try:
        yield
    finally:
        done.set()
        counter.join()


def _count(doing: str, done: Event) -> None:
    if done.wait(_PATIENCE):
        return
    started = time.monotonic() - _PATIENCE
    while True:
        sys.stderr.write(f"{_ERASE}{doing} … {time.monotonic() - started:.0f} s")
        sys.stderr.flush()
        if done.wait(1):
            break
    sys.stderr.write(_ERASE)
    sys.stderr.flush()
