"""An exception of the user's code, said in one line with the user's file and line."""

from __future__ import annotations

import functools
import sys
import traceback
from pathlib import Path

import torch

import convcost

_OURS = str(Path(convcost.__file__).parent)
_TORCH = str(Path(torch.__file__).parent)
_CAPTURE = str(Path(__file__).with_name("capture.py"))
_LONGEST = 160
_NOT_THE_USERS = (_OURS, "site-packages", "dist-packages", str(Path(sys.prefix) / "lib"), "<frozen", "lib/python")


def first_line(error: BaseException) -> str:
    """`RuntimeError: mat1 and mat2 shapes cannot be multiplied`, cut off where torch goes on for a page."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    name = type(error).__name__
    if not lines:
        return name
    text = lines[0] if len(lines[0]) <= _LONGEST else f"{lines[0][:_LONGEST].rstrip()} …"
    return f"{name}: {text}"


def where(error: BaseException) -> str:
    """` (net.py:12)` for the innermost frame of the user's own code; else of a library other than torch."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(_OURS)]
    own = [frame for frame in frames if not any(mark in frame.filename for mark in _NOT_THE_USERS)]
    above_torch = [frame for frame in frames if not frame.filename.startswith(_TORCH)]
    chosen = (own or above_torch)[-1:]
    return "".join(f" ({_short(frame.filename)}:{frame.lineno})" for frame in chosen)


def calling_line() -> tuple[str, int] | None:
    """The file and line of the user's own code that the op being recorded is called from, where there is one.

    Looks no further out than the capture itself: who asked for the analysis is no part of the model.
    """
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename != _CAPTURE:
        if _is_the_users(frame.f_code.co_filename):
            return _short(frame.f_code.co_filename), frame.f_lineno
        frame = frame.f_back
    return None


@functools.cache
def _is_the_users(filename: str) -> bool:
    return not filename.startswith("<") and not any(mark in filename for mark in _NOT_THE_USERS)


def _short(filename: str) -> str:
    path = Path(filename)
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
