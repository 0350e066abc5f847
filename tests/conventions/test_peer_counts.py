"""Our totals, in other counters' conventions, are what those counters print.

tests/data/peer_counts.json holds what they printed; `python -m benchmarks.peer_counts` asks them again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
import torch

from convcost.analysis import Analysis, analyze_graph
from convcost.conventions import CONVENTIONS, Expression, express
from convcost.graph.caller import Caller
from convcost.sources.request import InputSpec, Request
from convcost.sources.torch import callers_of, graph_of
from convcost.sources.torch.callers import callers_of_module
from tests.conformance.every_case import CASES, PUBLISHED
from tests.conventions.networks import LARGER, NETWORKS, TIMM, TORCHVISION

FOUND = json.loads((Path(__file__).parents[1] / "data" / "peer_counts.json").read_text(encoding="utf-8"))
COUNTS: Mapping[str, Mapping[str, int | str]] = FOUND["counts"]

MODELS = (*(f"torchvision:{name}" for name in TORCHVISION), *(f"timm:{name}" for name in TIMM))
# A conformance case may be younger than the data: then nobody has been asked about it yet.
NAMES = tuple(COUNTS)

# Where the total is only about right, and says so: not one may be added without being looked at.
ABOUT_RIGHT_BUT_WRONG = {
    ("torchvision:maxvit_t", "fvcore"),
    ("case:input_tuple", "ptflops"),
    ("case:einsum_diagonal", "fvcore"),
    ("network:asked_for_its_size", "fvcore"),
    ("network:norms_by_place", "fvcore"),
    *(("network:checkpointed", counter) for counter in ("fvcore", "thop", "ptflops")),
    ("network:pruned", "torchinfo"),
}


@cache
def called(name: str) -> tuple[Analysis, Mapping[str, Caller]]:
    kind, _, short = name.partition(":")
    if kind == "network":
        graph, callers = callers_of_module(NETWORKS[short].build(), NETWORKS[short].inputs, {})
    elif kind == "case":
        case = (PUBLISHED | CASES)[short]
        graph, callers = callers_of_module(case.build(), case.inputs, case.kwargs)
    else:
        side = LARGER.get(short, 224)
        graph, callers = callers_of(Request(target=name, inputs=(InputSpec(shape=(1, 3, side, side)),)))
    return analyze_graph(graph), callers


def expressed(name: str, convention: str) -> Expression:
    analysis, callers = called(name)
    return express(analysis, CONVENTIONS[convention], callers)


def test_the_counters_were_asked_about_every_network() -> None:
    cases = {name for name in NAMES if name.startswith("case:")}
    assert set(NAMES) - cases == {*MODELS, *(f"network:{name}" for name in NETWORKS)}
    assert len(cases) >= 139
    assert cases <= {f"case:{name}" for name in PUBLISHED | CASES}


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_an_exact_total_is_what_the_counter_printed(convention: str) -> None:
    wrong = {
        name: (expression.total, printed)
        for name in NAMES
        if isinstance(printed := COUNTS[name][convention], int)
        and (expression := expressed(name, convention)).exact
        and expression.total != printed
    }
    assert wrong == {}


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_total_that_is_not_what_the_counter_printed_says_so(convention: str) -> None:
    inexact = [name for name in NAMES if not expressed(name, convention).exact]
    wrong = {
        (name, convention)
        for name in inexact
        if isinstance(printed := COUNTS[name][convention], int) and expressed(name, convention).total != printed
    }
    assert wrong == {pair for pair in ABOUT_RIGHT_BUT_WRONG if pair[1] == convention}


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_nearly_every_total_is_exact(convention: str) -> None:
    answered = [name for name in NAMES if isinstance(COUNTS[name][convention], int)]
    exact = [name for name in answered if expressed(name, convention).exact]
    assert len(exact) > 0.85 * len(answered)
    rounded, own_norms = "torchvision:maxvit_t", "torchvision:convnext_tiny"
    assert {name for name in MODELS if name.startswith("torchvision:")} - set(exact) <= {rounded, own_norms}


def test_terms_lead_from_our_macs_to_the_total() -> None:
    for name, convention in ((name, convention) for name in NETWORKS for convention in CONVENTIONS):
        expression = expressed(f"network:{name}", convention)
        assert expression.total == expression.analysis.totals.macs + sum(term.amount for term in expression.terms)
        assert all(term.why and term.layers for term in expression.terms)


def test_the_versions_asked_are_those_the_rules_were_read_from() -> None:
    asked = {name: FOUND["versions"][name].replace("-", ".post") for name in CONVENTIONS}
    assert asked == {name: convention.read_from for name, convention in CONVENTIONS.items()}


@pytest.mark.parametrize("holds_a_parameter", [True, False])
def test_a_total_with_a_module_that_runs_nothing_and_gives_no_tensor_is_exact_if_that_holds_nothing(
    holds_a_parameter: bool,
) -> None:
    class Number(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            if holds_a_parameter:
                self.weight = torch.nn.Parameter(torch.ones(3))

        def forward(self) -> int:
            return 2

    class Doubling(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.number, self.linear = Number(), torch.nn.Linear(4, 8)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            doubled: torch.Tensor = self.linear(x) * self.number()
            return doubled

    graph, callers = callers_of_module(Doubling(), ((2, 4),), {})
    assert express(analyze_graph(graph), CONVENTIONS["torchinfo"], callers).exact is not holds_a_parameter


def test_watching_who_calls_changes_no_count() -> None:
    for network in NETWORKS.values():
        watched, callers = callers_of_module(network.build(), network.inputs, {})
        plain = graph_of(network.build(), network.inputs)
        assert [(node.name, node.cost) for node in watched.nodes] == [(node.name, node.cost) for node in plain.nodes]
        assert set(callers) >= {node.name for node in watched.nodes}


def test_nothing_watches_after_a_model_that_raises() -> None:
    class Raises(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise RuntimeError("no")

    with pytest.raises(Exception, match="no"):
        callers_of_module(Raises(), ((1,),), {})
    assert torch._C._len_torch_function_stack() == 0
    assert not torch.nn.modules.module._global_forward_pre_hooks
