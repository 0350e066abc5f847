"""Capture and analysis beside a forward pass that is only watched: `python -m benchmarks.capture` prints JSON."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.spread import Spread
from convcost.analysis import analyze_graph
from convcost.sources.torch import graph_of
from convcost.sources.torch.libraries import import_library

NETWORKS = ("resnet50", "efficientnet_b0", "vit_l_16", "swin_t")
ROUNDS = 30
SHAPE = (1, 3, 224, 224)


class Watch(TorchDispatchMode):
    """Sees every operator call and lets it pass."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


def watched_forward(model: nn.Module) -> None:
    with torch.inference_mode(), Watch():
        model(torch.empty(SHAPE, device="meta"))


def seconds(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def contest(name: str) -> dict[str, object]:
    """Medians of both, the spread of their ratio round by round, and the ratio of their fastest rounds."""
    zoo, _ = import_library("torchvision")
    with torch.device("meta"):
        model = zoo.models.get_model(name, weights=None).eval()
    actions = {"captured": lambda: analyze_graph(graph_of(model, (SHAPE,))), "watched": lambda: watched_forward(model)}
    for action in actions.values():
        action()
    rounds = [{word: seconds(action) for word, action in actions.items()} for _ in range(ROUNDS)]
    captured, watched = ([round_[word] for round_ in rounds] for word in actions)
    return {
        "captured": statistics.median(captured),
        "watched": statistics.median(watched),
        "ratio": Spread.of(captured, watched),
        "fastest": min(captured) / min(watched),
    }


def main() -> None:
    print(json.dumps({name: contest(name) for name in NETWORKS}))


if __name__ == "__main__":
    main()
