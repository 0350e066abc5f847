"""A design space at once, and layers one after the other: `python -m benchmarks.grids` prints JSON."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from benchmarks.spread import Spread
from convcost.alternatives import DEFAULT_ALTERNATIVES
from convcost.alternatives.compare import rewritten
from convcost.alternatives.counting import count_stages
from convcost.grids import Grid, evaluate
from convcost.grids.layer import layer_of

ROUNDS = 5
A_MILLION = 1_000_000
GRID = Grid.of(
    ["kernel=3,5,7", "in_channels=16..1024:16", "out_channels=16..1024:16", "input=7..896:7", "padding=same"]
)
SCALAR_LAYERS = 200
FIXED = {"kernel": 3, "out_channels": 64, "input": 56, "padding": 1, "stride": 1, "dilation": 1, "groups": 1}


def evaluated() -> None:
    """Every configuration under the built-in alternatives, its counts in memory."""
    for _ in evaluate(GRID, DEFAULT_ALTERNATIVES):
        pass


def written(file_name: str, *options: str) -> None:
    """The same, to a file, as the command does it: on every core, start-up and summary included."""
    axes = [f"{axis.name}={','.join(axis.shown)}" for axis in GRID.axes]
    with tempfile.TemporaryDirectory() as folder:
        to_file = ["-q", "-o", str(Path(folder) / file_name), *options]
        subprocess.run([sys.executable, "-m", "convcost", "compare", "--grid", *axes, *to_file], check=True)


def started() -> None:
    """The command on a single layer: what of the above is start-up."""
    with tempfile.TemporaryDirectory() as folder:
        one = ["kernel=3", "in_channels=16", "out_channels=16", "input=7"]
        to_file = ["-q", "-o", str(Path(folder) / "grid.csv")]
        subprocess.run([sys.executable, "-m", "convcost", "compare", "--grid", *one, *to_file], check=True)


def one_by_one() -> None:
    """Some layers as `compare` counts them, without its labels, formulas and break-even ranks."""
    for in_channels in range(16, 16 * SCALAR_LAYERS + 1, 16):
        layer, conv = layer_of({**FIXED, "in_channels": in_channels, "batch": 1, "bias": 1})
        for alternative in DEFAULT_ALTERNATIVES:
            stages = rewritten(layer, conv, alternative)
            if isinstance(stages, tuple):
                count_stages(stages, "output")


def seconds(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


ACTIONS: Mapping[str, Callable[[], object]] = {
    "evaluated": evaluated,
    "csv": partial(written, "grid.csv"),
    "csv_pareto": partial(written, "grid.csv", "--pareto"),
    "parquet": partial(written, "grid.parquet"),
    "parquet_pareto": partial(written, "grid.parquet", "--pareto"),
}


def main() -> None:
    one_by_one()
    rounds = [{name: seconds(action) / GRID.size for name, action in ACTIONS.items()} for _ in range(ROUNDS)]
    alone = statistics.median(seconds(one_by_one) for _ in range(ROUNDS)) / SCALAR_LAYERS
    rates = {name: 1 / statistics.median(round_[name] for round_ in rounds) for name in ACTIONS}
    ratios = {name: Spread.of((round_[name] for round_ in rounds), [1 / A_MILLION] * ROUNDS) for name in ACTIONS}
    start_up = statistics.median(seconds(started) for _ in range(ROUNDS))
    figures = {"rates": rates | {"one_by_one": 1 / alone}, "ratios": ratios, "start_up": start_up}
    print(json.dumps({**figures, "configurations": GRID.size}))


if __name__ == "__main__":
    main()
