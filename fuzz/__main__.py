"""Runs the doors named (default: all) under atheris for so many minutes of processor time each, and says what it found.

    python -m fuzz [onnx|spec|config|values|diff]... [--minutes 20] [--kept FOLDER]

Inputs that anything went wrong with stay in FOLDER/DOOR/found, beside what went wrong. Exit code 1 if there are any.
"""

from __future__ import annotations

import argparse
import importlib
import re
import resource
import subprocess
import sys
from pathlib import Path

from fuzz import DOORS
from fuzz.door import Door

_SLICE_SECONDS = 300
_LONGEST_INPUT = 8192
_MEMORY_MIB = 1024
_HANG_SECONDS = 600
"""For one input, on a machine that may be busy; what is slow is told by its processor time."""
_EXECUTED = re.compile(r"stat::number_of_executed_units: +(\d+)")


def main() -> int:
    asked = _arguments()
    found = 0
    for name in asked.doors or DOORS:
        found += _fuzz(name, asked.kept / name, 60 * asked.minutes)
    return min(found, 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("doors", nargs="*", choices=[*DOORS, []], metavar="DOOR")
    parser.add_argument("--minutes", type=float, default=1.0, help="processor time for each (default 1)")
    parser.add_argument("--kept", type=Path, default=Path("build/fuzz"), help="folder of corpora and findings")
    return parser.parse_args()


def _fuzz(name: str, kept: Path, budget: float) -> int:
    """In slices, each a process: one that a finding ends does not end the rest."""
    folders = {each: kept / each for each in ("corpus", "found")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    door: Door = importlib.import_module(DOORS[name]).DOOR
    _write_words(door, kept / "words.txt")
    for at, seed in enumerate(door.seeds()):
        (folders["corpus"] / f"seed-{at:04}").write_bytes(seed)
    spent, executed = 0.0, 0
    while spent < budget:
        seconds, units = _slice(name, kept, min(budget - spent, _SLICE_SECONDS))
        spent, executed = spent + seconds, executed + units
        print(
            f"{name}: {spent / 60:.1f} of {budget / 60:.1f} min, {executed:,} inputs, {_found(kept)} findings",
            flush=True,
        )
    return _found(kept)


def _slice(name: str, kept: Path, seconds: float) -> tuple[float, int]:
    """Processor seconds spent and inputs tried."""
    options = [
        f"-max_total_time={max(int(seconds), 1)}",
        f"-max_len={_LONGEST_INPUT}",
        f"-rss_limit_mb={_MEMORY_MIB}",
        f"-timeout={_HANG_SECONDS}",
        f"-artifact_prefix={kept / 'found'}/",
        *([f"-dict={words}"] if (words := kept / "words.txt").read_text(encoding="utf-8") else []),
        "-print_final_stats=1",
    ]
    before = _children_seconds()
    command = [sys.executable, "-m", "fuzz.under_atheris", name, str(kept / "found"), *options, str(kept / "corpus")]
    ended = subprocess.run(command, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    with (kept / "log.txt").open("a", encoding="utf-8") as log:
        log.write(ended.stderr)
    match = _EXECUTED.search(ended.stderr)
    if ended.returncode and match is None and not _found(kept):
        raise SystemExit(f"the fuzzer of {name} did not run:\n{ended.stderr[-2000:]}")
    return _children_seconds() - before, int(match[1]) if match else 0


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _found(kept: Path) -> int:
    """Inputs, without the texts beside them."""
    return sum(path.suffix != ".txt" for path in (kept / "found").iterdir())


def _write_words(door: Door, path: Path) -> None:
    escaped = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in door.words)
    path.write_text("".join(f'"{word}"\n' for word in escaped), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
