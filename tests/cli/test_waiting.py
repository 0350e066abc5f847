"""What a terminal shows while a model is read."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = "import time; from convcost.cli.waiting import waiting\nwith waiting('reading'): time.sleep({seconds})"


def seen_on_terminal(seconds: float) -> str:
    """What stderr, a terminal, gets while something takes that long."""
    ours, theirs = pty.openpty()
    subprocess.run([sys.executable, "-c", PROGRAM.format(seconds=seconds)], stderr=theirs, check=True, cwd=ROOT)
    os.set_blocking(ours, False)
    try:
        return os.read(ours, 10_000).decode()
    except BlockingIOError:
        return ""
    finally:
        os.close(ours)
        os.close(theirs)


def test_what_takes_long_is_said_and_erased() -> None:
    seen = seen_on_terminal(0.7)
    assert "reading … " in seen
    assert seen.endswith("\r\x1b[K")


def test_what_is_quick_says_nothing() -> None:
    assert seen_on_terminal(0.05) == ""


def test_a_pipe_says_nothing() -> None:
    program = PROGRAM.format(seconds=0.7)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ended.stderr == ""
