"""Runs every job, shows its figures, and writes docs/benchmarks.md."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks.jobs import JOBS, ROUNDS, Figure

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
PACKAGES = ("convcost", "onnx", "torch", "torchvision", "typer", "rich", "PyYAML")

INTRODUCTION = f"""# What convcost costs to run

Written by `make bench`; no test depends on it. Every job runs in turns with the least that the same job could take,
after one round that warms the file cache. Times are medians of {ROUNDS} rounds (capture: 30). A ratio is the median of
the ratios within a round, so that a slow moment of the machine falls on both sides, with their quartiles in brackets:
where these lie far apart, the machine was too busy and the figure says little. Peak memory is the whole process's
resident maximum. What models need, beside torch's own tracking: [memory.md](memory.md).
"""

GPU = """Latency on a GPU (events, an emptied L2 cache, captured graphs) is tested with a stand-in alone: it has not
been verified on a real one yet."""


def main() -> None:
    load = os.getloadavg()[0]
    figures = []
    for job in JOBS:
        for figure in job():
            print(f"{figure.ratio} (target {figure.target})  {figure.job}: {figure.measured}", flush=True)
            figures.append(figure)
    PAGE.write_text(page(figures, load), encoding="utf-8")
    # In a process of its own: what is measured by whole processes wants this one small, without torch.
    subprocess.run([sys.executable, "-m", "benchmarks.peer_speed"], check=True)


def page(figures: list[Figure], load: float) -> str:
    rows = [
        f"| {figure.job} | {figure.beside} | {figure.measured} | {figure.ratio} | ≤ {figure.target} |"
        for figure in figures
    ]
    table = "\n".join(["| job | beside | measured | ratio | target |", "| --- | --- | --- | --- | --- |", *rows])
    return f"{INTRODUCTION}\n{table}\n\n{conditions(load)}\n\n{GPU}\n"


def conditions(load: float) -> str:
    """What the figures hold for. `load` is of before the first job: what else the machine was doing."""
    installed = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"Measured on {datetime.date.today().isoformat()}: {processor()}, {os.cpu_count()} cores "
        f"(load {load:.1f} when it began), "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}; {installed}."
    )


def processor() -> str:
    """The processor's own name, where the system tells it."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or "unnamed processor"


if __name__ == "__main__":
    sys.exit(main())
