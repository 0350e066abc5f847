"""An exception of the user's code, said in one line with the user's file and line."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

import convcost

_OURS = str(Path(convcost.__file__).parent)
_NOT_THE_USERS = (_OURS, "site-packages", "dist-packages", str(Path(sys.prefix) / "lib"), "<frozen", "lib/python")


def first_line(error: BaseException) -> str:
    """`RuntimeError: mat1 and mat2 shapes cannot be multiplied`."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    name = type(error).__name__
    return f"{name}: {lines[0]}" if lines else name


def where(error: BaseException) -> str:
    """` (net.py:12)` for the innermost frame of the user's own code; else the innermost frame that is not ours."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(_OURS)]
    own = [frame for frame in frames if not any(mark in frame.filename for mark in _NOT_THE_USERS)]
    chosen = (own or frames)[-1:]
    return "".join(f" ({_short(frame.filename)}:{frame.lineno})" for frame in chosen)


def _short(filename: str) -> str:
    path = Path(filename)
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
