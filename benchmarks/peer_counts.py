"""What other counters print, for the tests of `--convention`: python -m benchmarks.peer_counts writes their data.

Needs fvcore, thop, ptflops and torchinfo, torchvision and timm; a few minutes.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch

import tests.conftest  # noqa: F401  # declares what torchvision's code needs of builds that its operators do not fit
from benchmarks.conformance import ordinary
from benchmarks.peers import PEERS, Subject, asked
from convcost.conventions import CONVENTIONS
from tests.conformance.every_case import CASES, PUBLISHED
from tests.conventions.networks import LARGER, NETWORKS, TIMM, TORCHVISION, Network

DATA = Path(__file__).parents[1] / "tests" / "data" / "peer_counts.json"


def subjects() -> Iterator[tuple[str, Callable[[], Subject]]]:
    """Every network by the name the tests find it by."""
    for name in TORCHVISION:
        yield f"torchvision:{name}", partial(_from_library, "torchvision.models", "get_model", name)
    for name in TIMM:
        yield f"timm:{name}", partial(_from_library, "timm", "create_model", name)
    for name, network in NETWORKS.items():
        yield f"network:{name}", partial(_built, network)
    for name, case in (PUBLISHED | CASES).items():
        yield f"case:{name}", partial(ordinary, case)


def _from_library(library: str, build: str, name: str) -> Subject:
    module = getattr(importlib.import_module(library), build)(name)
    side = LARGER.get(name, 224)
    return _with_values(module, ((1, 3, side, side),))


def _built(network: Network) -> Subject:
    return _with_values(network.build(), network.inputs)


def _with_values(module: torch.nn.Module, shapes: tuple[tuple[int, ...], ...]) -> Subject:
    return Subject(module=module.eval(), positional=tuple(torch.rand(shape) for shape in shapes), keywords={})


def main() -> None:
    torch.set_num_threads(1)
    peers = [peer for peer in PEERS if peer.name in CONVENTIONS]
    for peer in peers:
        peer.load()
    counts: dict[str, dict[str, int | str]] = {}
    for name, subject in subjects():
        sys.stderr.write(f"\r\x1b[K{name}")
        said = {peer.name: asked(peer, subject) for peer in peers}
        counts[name] = {peer: number if isinstance(number, str) else int(number) for peer, number in said.items()}
    sys.stderr.write("\r\x1b[K")
    versions = {peer.name: f"{peer.package} {peer.version}" for peer in peers} | {"torch": torch.__version__}
    DATA.write_text(json.dumps({"versions": versions, "counts": counts}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
