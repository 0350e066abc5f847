"""A design space at once, and layers one after the other: `python -m benchmarks.grids` prints JSON."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.spread import Spread
from convcost.alternatives import DEFAULT_ALTERNATIVES
from convcost.alternatives.compare import rewritten
from convcost.alternatives.counting import count_stages
from convcost.grids import Grid, evaluate
from convcost.grids.layer import layer_of

ROUNDS = 7
A_MILLION = 1_000_000
GRID = Grid.of(
    ["kernel=3,5,7", "in_channels=16..1024:16", "out_channels=16..1024:16", "input=7..448:7", "padding=same"]
)
SCALAR_LAYERS = 200
FIXED = {"kernel": 3, "out_channels": 64, "input": 56, "padding": 1, "stride": 1, "dilation": 1, "groups": 1}


def evaluated() -> None:
    """Every configuration under the built-in alternatives, its counts in memory."""
    for _ in evaluate(GRID, DEFAULT_ALTERNATIVES):
        pass


def written() -> None:
    """The same, to a CSV file, as the command does it: on every core, start-up and summary included."""
    axes = [f"{axis.name}={','.join(axis.shown)}" for axis in GRID.axes]
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "grid.csv")
        subprocess.run([sys.executable, "-m", "convcost", "compare", "--grid", *axes, "-q", "-o", file], check=True)


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


def main() -> None:
    layers = {"evaluated": GRID.size, "written": GRID.size, "one_by_one": SCALAR_LAYERS}
    actions = {"evaluated": evaluated, "written": written, "one_by_one": one_by_one}
    one_by_one()
    taken = [{name: seconds(action) / layers[name] for name, action in actions.items()} for _ in range(ROUNDS)]
    rates = {name: 1 / statistics.median(round_[name] for round_ in taken) for name in actions}
    ratios = {
        name: Spread.of((round_[name] for round_ in taken), [1 / A_MILLION] * ROUNDS)
        for name in ("evaluated", "written")
    }
    print(json.dumps({"rates": rates, "ratios": ratios, "configurations": GRID.size}))


if __name__ == "__main__":
    main()
