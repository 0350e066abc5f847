"""Timing whole processes: interleaved, so that a machine's drift falls on all of them alike."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.spread import Spread

# Installed programs run from compiled bytecode; ours must be allowed to keep its own.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One process from start to end. `peak_kib` is the most memory it held resident."""

    seconds: float
    peak_kib: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """Runs of several commands by name, as many of each."""

    runs: Mapping[str, tuple[Run, ...]]

    def seconds(self, name: str) -> float:
        return statistics.median(run.seconds for run in self.runs[name])

    def peak_mib(self, name: str) -> float:
        return statistics.median(run.peak_kib for run in self.runs[name]) / 1024

    def ratio(self, name: str, base: str) -> Spread:
        return Spread.of((run.seconds for run in self.runs[name]), (run.seconds for run in self.runs[base]))

    def peaks(self, name: str) -> list[int]:
        """In KiB, run by run."""
        return [run.peak_kib for run in self.runs[name]]


def contest(commands: Mapping[str, Sequence[str]], *, rounds: int) -> Contest:
    """Runs every command once to warm the file cache, then in turns."""
    for command in commands.values():
        run(command)
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            runs[name].append(run(command))
    return Contest(runs={name: tuple(taken) for name, taken in runs.items()})


def run(command: Sequence[str]) -> Run:
    """Python with these arguments, silent. Raises `RuntimeError` where it does not end well.

    A child's peak includes its parent's at the moment it was started, so this process must stay small:
    it imports neither onnx nor torch.
    """
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    begun = time.perf_counter()
    pid = os.posix_spawn(sys.executable, [sys.executable, *command], ENVIRONMENT, file_actions=quiet)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - begun
    if code := os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"python {' '.join(command)} ended with {code}")
    return Run(seconds=seconds, peak_kib=usage.ru_maxrss)
