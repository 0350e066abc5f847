"""Capture of resnet50 beside the same forward pass that is only watched: `python -m benchmarks.capture` prints JSON."""

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
from convcost.sources.torch import graph_of
from convcost.sources.torch.libraries import import_library

ROUNDS = 60
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


def main() -> None:
    zoo, _ = import_library("torchvision")
    with torch.device("meta"):
        model = zoo.models.get_model("resnet50", weights=None).eval()
    actions = {"capture": lambda: graph_of(model, (SHAPE,)), "watched": lambda: watched_forward(model)}
    for action in actions.values():
        action()
    taken = [{name: seconds(action) for name, action in actions.items()} for _ in range(ROUNDS)]
    medians = {name: statistics.median(round_[name] for round_ in taken) for name in actions}
    ratio = Spread.of((round_["capture"] for round_ in taken), (round_["watched"] for round_ in taken))
    print(json.dumps({**medians, "ratio": ratio}))


if __name__ == "__main__":
    main()
