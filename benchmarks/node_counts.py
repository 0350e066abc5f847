"""ONNX graphs of more and more nodes, counted and merely walked: `python -m benchmarks.node_counts` prints JSON.

Seconds are the processor's, of one thread: what else the machine does takes no part in them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import onnx
from onnx import shape_inference

from benchmarks.many_nodes import residual_network
from convcost.analysis import analyze_graph
from convcost.sources import Request
from convcost.sources.onnx import load_onnx

SIZES = (1_000, 10_000, 100_000)
ROUNDS = 5


def count(path: str) -> None:
    analyze_graph(load_onnx(Request(target=path)))


def walk(path: str) -> int:
    """The least that any tool built on onnx does: read, infer shapes, look at every node."""
    model = shape_inference.infer_shapes(onnx.load(path))
    return sum(len(node.input) + len(node.output) + len(node.op_type) for node in model.graph.node)


def seconds(action: Callable[[str], object], path: str) -> float:
    begun = time.process_time()
    action(path)
    return time.process_time() - begun


ACTIONS: dict[str, Callable[[str], object]] = {"count": count, "walk": walk}


def once(action: str, path: str, small: str) -> float:
    """In a process of its own, as every file is read on a command line, after a small file that does the imports."""
    command = [sys.executable, "-m", "benchmarks.node_counts", action, path, small]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout)


def main() -> None:
    if len(sys.argv) > 1:
        action, path, small = ACTIONS[sys.argv[1]], *sys.argv[2:]
        action(small)  # what is imported or remembered at first use is not what a node costs
        print(seconds(action, path))
        return
    taken = {}
    with tempfile.TemporaryDirectory() as folder:
        small = str(Path(folder) / f"{SIZES[0]}.onnx")
        for size in SIZES:
            path = str(Path(folder) / f"{size}.onnx")
            onnx.save(residual_network(size), path)
            taken[size] = [{action: once(action, path, small) for action in ACTIONS} for _ in range(ROUNDS)]
    json.dump(taken, sys.stdout)


if __name__ == "__main__":
    main()
