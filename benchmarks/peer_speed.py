"""convcost beside the counters that are installed: `python -m benchmarks.peer_speed` renews that part of the page.

PyTorch models are counted in processes forked for one count each, so that no peer meets what another left behind;
ONNX files by whole processes. Counters take turns, and the quickest of a counter's rounds stands for it: whatever else
the machine did can only have made it slower.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import torch

from benchmarks.__main__ import PAGE, conditions
from benchmarks.child import run
from benchmarks.peers import PEERS, Peer, Subject, asked
from convcost.analysis import analyze_graph
from convcost.sources.torch import graph_of
from convcost.sources.torch.libraries import import_library

ROUNDS = 7
HEADING = "## Beside other counters"
MODELS = ("resnet50", "vit_b_16")
SHAPE = (1, 3, 224, 224)
NODES = (1_000, 10_000)
OURS = "convcost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One counter on one network; the quickest of all rounds, or why there is no time."""

    job: str
    counter: str
    seconds: float | str


def main() -> None:
    load = os.getloadavg()[0]
    lines = [*pytorch_models(), *onnx_files()]
    before = PAGE.read_text(encoding="utf-8").partition(HEADING)[0].rstrip()
    PAGE.write_text(f"{before}\n\n{section(lines, load)}", encoding="utf-8")


def section(lines: list[Line], load: float) -> str:
    """What the page says: times as multiples of convcost's own on the same network."""
    ours = {line.job: line.seconds for line in lines if line.counter == OURS}
    rows = (f"| {line.job} | {line.counter} | {_shown(line.seconds)} | {_times(line, ours)} |" for line in lines)
    table = "\n".join(["| network | counter | time | times convcost's |", "| --- | --- | ---: | ---: |", *rows])
    others = ", ".join(f"{peer.package} {peer.version}" for peer in PEERS if peer.installed and peer.package != "torch")
    tool = f", onnx-tool {version('onnx-tool')}" if find_spec("onnx_tool") else ""
    return f"""{HEADING}

Written by `python -m benchmarks.peer_speed`, with the counters that are installed. Of {ROUNDS} rounds in which the
counters took turns, the quickest of each counts: other work on the machine can only have slowed it. PyTorch: the module
stands ready with its weights and every import is done; one count in a process of its own. convcost runs it without
values, the others multiply. ONNX: whole processes, from start to end.

{table}

{conditions(load)} Beside them: {others}{tool}.
"""


def pytorch_models() -> Iterator[Line]:
    zoo, _ = import_library("torchvision")
    torch.set_num_threads(1)  # forked processes may start threads of their own, but not inherit any
    peers = [peer for peer in PEERS if peer.installed]
    for peer in peers:
        peer.load()
    ours = Peer(name=OURS, package="convcost", macs=_by_convcost)
    for name in MODELS:
        module = zoo.models.get_model(name, weights=None).eval()
        subject = Subject(module=module, positional=(torch.rand(SHAPE),), keywords={})
        contest = {peer.name: partial(asked, _timed(peer), partial(_ready, subject)) for peer in (ours, *peers)}
        yield from _quickest(f"{name}, PyTorch", contest)


def _ready(subject: Subject) -> Subject:
    return subject


def _by_convcost(subject: Subject) -> float:
    return analyze_graph(graph_of(subject.module, subject.positional)).totals.macs


def _timed(peer: Peer) -> Peer:
    """The same peer, giving seconds instead of MACs."""

    def seconds(subject: Subject) -> float:
        torch.set_num_threads(os.cpu_count() or 1)
        begun = time.perf_counter()
        peer.macs(subject)
        return time.perf_counter() - begun

    return Peer(name=peer.name, package=peer.package, macs=seconds)


def onnx_files() -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as folder:
        for job, maker in _makers():
            file = str(Path(folder) / "model.onnx")
            run(("-m", maker[0], file, *maker[1:]))
            contest = {OURS: partial(_process, "-m", "convcost", "analyze", file)}
            if find_spec("onnx_tool"):
                profile = f"import onnx_tool; onnx_tool.model_profile({file!r})"
                contest["onnx-tool"] = partial(_process, "-c", profile)
            yield from _quickest(job, contest)


def _makers() -> Iterator[tuple[str, tuple[str, ...]]]:
    for count in NODES:
        yield f"{count:,} nodes, ONNX", ("benchmarks.many_nodes", str(count))
    yield "VGG-16 in one file, ONNX", ("benchmarks.vgg16_file",)


def _process(*command: str) -> float | str:
    try:
        return run(command).seconds
    except RuntimeError:
        return "fails"


def _quickest(job: str, contest: Mapping[str, Callable[[], float | str]]) -> Iterator[Line]:
    rounds = []
    for number in range(ROUNDS):
        sys.stderr.write(f"\r\x1b[K{job}, round {number + 1}")
        rounds.append({counter: take() for counter, take in contest.items()})
    sys.stderr.write("\r\x1b[K")
    for counter in contest:
        times = [seconds for taken in rounds if not isinstance(seconds := taken[counter], str)]
        yield Line(job=job, counter=counter, seconds=min(times) if times else str(rounds[0][counter]))


def _shown(seconds: float | str) -> str:
    if isinstance(seconds, str):
        return seconds
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"


def _times(line: Line, ours: Mapping[str, float | str]) -> str:
    own = ours[line.job]
    if isinstance(line.seconds, str) or isinstance(own, str):
        return "–"
    return f"{line.seconds / own:.2f}"


if __name__ == "__main__":
    main()
