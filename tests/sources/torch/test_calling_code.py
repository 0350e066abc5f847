"""How a function of torch was called, as its caller's code shows."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # the name everyone reads it by
from torch.nn.functional import relu

from convcost.graph.caller import Caller
from convcost.sources.torch.callers import callers_of_module


class Calls(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.relu = F.relu

    def forward(self, x: Tensor) -> Tensor:
        x = x + x
        x = torch.add(x.add(x), x)
        x = F.relu(F.relu(x)).add(x)
        x = self.relu(torch.nn.functional.relu(x))
        return relu(x)


def called() -> list[Caller]:
    graph, callers = callers_of_module(Calls(), ((2, 3),), {})
    return [callers[node.name] for node in graph.nodes]


def test_an_operator_is_told_from_the_function_of_its_name() -> None:
    adds = [each.function for each in called() if "add" in each.function]
    assert adds == ["torch.Tensor.__add__", "torch.Tensor.add", "torch.add", "torch.Tensor.add"]


def test_a_function_called_through_torch_is_told_from_one_held_elsewhere() -> None:
    relus = [each.by_name for each in called() if each.function.endswith("relu")]
    assert relus == [True, True, True, False, False]


def test_a_module_held_twice_is_reached_in_two_ways() -> None:
    inner = nn.Sequential(nn.Linear(3, 3))
    graph, callers = callers_of_module(nn.Sequential(inner, nn.Sequential(inner, nn.ReLU())), ((2, 3),), {})
    held: Mapping[str, int] = {callers[node.name].module: callers[node.name].held for node in graph.nodes}
    assert held == {"nn.Linear": 2, "nn.ReLU": 1}


def test_the_words_and_numbers_of_a_call_are_kept() -> None:
    _, callers = callers_of_module(nn.Conv2d(3, 4, 3, padding="same"), ((1, 3, 5, 5),), {})
    assert [each.plain for each in callers.values()] == [("same", 1)]
