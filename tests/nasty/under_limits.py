"""Runs every hostile file's command in one process that may not grow: `python -m tests.nasty.under_limits FOLDER`.

Prints a JSON object: for each command its exit code, what it printed, and what it said. A file that takes more memory
or time than is allowed ends the process, or shows as a failure of its command.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import sys

from convcost.cli import main
from tests.nasty.make import NASTY

MEMORY = 1 << 30
"""Address space that may be taken beyond what starting up takes: a gigabyte for files of kilobytes."""

SECONDS = 150
"""Of processor time for all files together: far more than they take, and one that does not end ends the process."""


def run(arguments: list[str]) -> dict[str, object]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}


def _limit() -> None:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  # no path of the user's
        taken = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def _all(folder: str) -> dict[str, dict[str, object]]:
    os.chdir(folder)
    run(["analyze", "good.onnx"])  # loads what every file would load
    _limit()
    return {nasty.label: run([word.replace("@", nasty.name) for word in nasty.command]) for nasty in NASTY}


if __name__ == "__main__":
    json.dump(_all(sys.argv[1]), sys.stdout)
