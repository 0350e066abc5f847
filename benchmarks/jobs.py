"""The jobs that are measured, and what each is held to."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.child import contest, run
from benchmarks.spread import Spread

ROUNDS = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the page: what was measured, in whatever unit its words name, and what it should stay under."""

    job: str
    beside: str
    measured: str
    ratio: Spread
    target: float


def start_up() -> list[Figure]:
    """`--version` and `compare --spec`, each against importing the libraries it is made of."""
    result = contest(
        {
            "version": ("-m", "convcost", "--version"),
            "typer": ("-c", "import typer"),
            "compare": ("-m", "convcost", "compare", "--spec", "sample_configs/layer.yaml"),
            "imports": ("-c", "import typer, rich.table, yaml"),
        },
        rounds=ROUNDS,
    )
    return [
        Figure(
            job=job,
            beside=beside,
            measured=f"{_ms(result.seconds(name))} against {_ms(result.seconds(base))}",
            ratio=result.ratio(name, base),
            target=1.3,
        )
        for job, name, beside, base in (
            ("`convcost --version`", "version", "`python -c 'import typer'`", "typer"),
            (
                "`convcost compare --spec sample_configs/layer.yaml`",
                "compare",
                "`python -c 'import typer, rich.table, yaml'`",
                "imports",
            ),
        )
    ]


def large_files() -> list[Figure]:
    """`analyze` of networks of 553 MB and of over 2 GB, whose weights lie in a file beside, against importing onnx."""
    with tempfile.TemporaryDirectory() as folder:
        inside, beside = Path(folder) / "vgg16.onnx", Path(folder) / "perceptron.onnx"
        run(("-m", "benchmarks.vgg16_file", str(inside)))
        run(("-m", "benchmarks.external_file", str(beside)))
        size = beside.with_suffix(".weights").stat().st_size / 1e9
        return [
            *_large_file(inside, f"`convcost analyze vgg16.onnx` ({inside.stat().st_size / 1e6:.0f} MB)"),
            *_large_file(beside, f"`convcost analyze perceptron.onnx` ({size:.1f} GB of external data)"),
        ]


def _large_file(file: Path, job: str) -> list[Figure]:
    result = contest(
        {"analyze": ("-m", "convcost", "analyze", str(file)), "import": ("-c", "import onnx")}, rounds=ROUNDS
    )
    peaks = result.peak_mib("analyze"), result.peak_mib("import")
    return [
        Figure(
            job=job,
            beside="`python -c 'import onnx'`",
            measured=f"{_ms(result.seconds('analyze'))} against {_ms(result.seconds('import'))}",
            ratio=result.ratio("analyze", "import"),
            target=1.5,
        ),
        Figure(
            job=f"{job}, peak memory",
            beside="75 MiB",
            measured=f"{peaks[0]:.1f} MiB (importing onnx alone: {peaks[1]:.1f} MiB)",
            ratio=Spread.of((peak / 1024 for peak in result.peaks("analyze")), [75] * ROUNDS),
            target=1.0,
        ),
    ]


def node_counts() -> list[Figure]:
    """ONNX graphs of up to 100,000 nodes, counted: how many nodes a second, and whether time is linear in them."""
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.node_counts"], check=True, stdout=subprocess.PIPE, encoding="utf-8"
    )
    taken = {int(size): rounds for size, rounds in json.loads(ended.stdout).items()}
    each = {size: [round_["count"] / size for round_ in rounds] for size, rounds in taken.items()}
    rates = {size: f"{1 / statistics.median(times):,.0f}" for size, times in each.items()}
    least, *_, most = sorted(taken)
    walks = [round_["walk"] / most for round_ in taken[most]]
    return [
        Figure(
            job=f"an ONNX graph of {most:,} nodes read, its shapes inferred, counted",
            beside="30,000 nodes a second",
            measured=f"{rates[most]} nodes a second (onnx alone, that only reads, infers and looks at every node: "
            f"{1 / statistics.median(walks):,.0f})",
            ratio=Spread.of(each[most], [1 / 30_000] * len(walks)),
            target=1.0,
        ),
        Figure(
            job="the same for each node",
            beside=f"one node of {least:,}",
            measured=", ".join(f"{rate} nodes a second of {size:,}" for size, rate in rates.items()),
            ratio=Spread.of(each[most], each[least]),
            target=1.3,
        ),
    ]


def capture() -> list[Figure]:
    """Networks on the meta device, in a process of its own because this one imports no torch."""
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.capture"], check=True, stdout=subprocess.PIPE, encoding="utf-8"
    )
    return [
        Figure(
            job=f"`convcost.analyze({name})` from a module on the meta device",
            beside="its forward pass under an empty dispatch mode",
            measured=f"{_ms(taken['captured'])} against {_ms(taken['watched'])}; fastest {taken['fastest']:.2f}",
            ratio=Spread(*taken["ratio"]),
            target=1.3,
        )
        for name, taken in json.loads(ended.stdout).items()
    ]


def decoder() -> list[Figure]:
    """Importing torch, building a decoder of 70 billion parameters from layers, and counting it exactly."""
    taken = [run(("-m", "benchmarks.decoder")) for _ in range(3)]
    job = "a decoder of 70 billion parameters built from layers and analyzed on 4,096 tokens"
    time_, peak = statistics.median(each.seconds for each in taken), max(each.peak_kib for each in taken) / 1024
    return [
        Figure(
            job=job,
            beside="20 s",
            measured=f"{time_:.1f} s, torch's import included",
            ratio=Spread.of((each.seconds for each in taken), [20] * len(taken)),
            target=1.0,
        ),
        Figure(
            job=f"{job}, peak memory",
            beside="1.5 GB",
            measured=f"{peak:.0f} MiB",
            ratio=Spread.of((each.peak_kib * 1024 for each in taken), [1.5e9] * len(taken)),
            target=1.0,
        ),
    ]


def same() -> list[Figure]:
    """A network measured beside itself: how often that reports a difference where there is none."""
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.same"], check=True, stdout=subprocess.PIPE, encoding="utf-8"
    )
    taken = json.loads(ended.stdout)
    unsure, count = taken.get("cannot tell", 0), float(taken["differences"])
    return [
        Figure(
            job=f"two measurements of one network, {taken['trials']} trials",
            beside="one false difference",
            measured=f"{taken['differences']} false differences; {unsure} trials could not tell",
            ratio=Spread(count, count, count),  # a count, which no round of its own spreads
            target=1.0,
        )
    ]


def grids() -> list[Figure]:
    """A design space under the built-in alternatives, in memory and to files, against a million layers a second."""
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.grids"], check=True, stdout=subprocess.PIPE, encoding="utf-8"
    )
    taken = json.loads(ended.stdout)
    rates, start_up = taken["rates"], _ms(taken["start_up"])
    done = {
        "evaluated": ("counted", f"one by one: {rates['one_by_one']:,.0f}", 1.0),
        "csv": ("to CSV, a row for each", f"--pareto: {rates['csv_pareto']:,.0f}; start-up {start_up}", 1.5),
        "parquet": ("to Parquet, a row for each", f"--pareto: {rates['parquet_pareto']:,.0f}", 1.0),
    }
    return [
        Figure(
            job=f"`compare --grid`: {taken['configurations']:,} layers under 5 alternatives each, {words}",
            beside="a million layers a second",
            measured=f"{rates[name]:,.0f} layers a second ({aside})",
            ratio=Spread(*taken["ratios"][name]),
            target=target,
        )
        for name, (words, aside, target) in done.items()
    ]


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"


JOBS = (start_up, large_files, node_counts, capture, decoder, same, grids)
