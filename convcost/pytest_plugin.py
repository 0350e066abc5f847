"""A pytest plugin: `@pytest.mark.convcost(macs="600M")` holds what a test builds to a budget.

    @pytest.mark.convcost(macs="600M", params="3.6M")
    def test_the_network_is_small(cost_budget):
        cost_budget(Net(), inputs=((1, 3, 224, 224),))

Each test stands for itself, and nothing is written, so that tests may run in any order and in many processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from torch import nn

    from convcost.analysis import Analysis
    from convcost.api import Inputs, Target

MARKER = "convcost"
_USAGE = '@pytest.mark.convcost(macs="600M"), and cost_budget(model, inputs=...) in the test'


class CostBudget:
    """Holds models to the limits of the test's marker: `cost_budget(model, inputs=((1, 3, 224, 224),))`."""

    def __init__(self, limits: Mapping[str, int | str]) -> None:
        self._limits = limits
        self.used = False

    def __call__(
        self,
        model: Analysis | Target | nn.Module,
        inputs: Inputs | None = None,
        kwargs: Mapping[str, object] | None = None,
        dims: Mapping[str, int] | None = None,
    ) -> Analysis:
        """The model's analysis; fails the test where a limit is broken, or where that cannot be told.

        Raises `ConvcostError` for a model that cannot be read.
        """
        from convcost.api import check
        from convcost.budgets import exit_code
        from convcost.reports import render
        from convcost.reports.check import CheckReport

        __tracebackhide__ = True
        self.used = True
        verdicts = check(model, self._limits, inputs, kwargs, dims)
        if exit_code([verdicts]):
            pytest.fail(render("table", CheckReport(results=(verdicts,))), pytrace=False)
        return verdicts.analysis


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARKER}(macs=..., params=...): limits for the cost_budget fixture")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A marker without the fixture would hold nothing to anything, and pass: the test gets the fixture and fails."""
    for item in items:
        if item.get_closest_marker(MARKER) and isinstance(item, pytest.Function) and not _asks(item):
            item.fixturenames.append("cost_budget")


@pytest.fixture
def cost_budget(request: pytest.FixtureRequest) -> Iterator[CostBudget]:
    """Holds a model to the limits of the test's `convcost` markers, the nearest one winning for each metric."""
    limits: dict[str, int | str] = {}
    for marker in reversed(list(request.node.iter_markers(MARKER))):
        if marker.args:
            pytest.fail(f"the convcost marker takes metrics by name: {_USAGE}", pytrace=False)
        limits |= marker.kwargs
    if not limits:
        pytest.fail(f"there is no budget for this test: {_USAGE}", pytrace=False)
    budget = CostBudget(limits)
    yield budget
    if not budget.used:
        pytest.fail(f"no model was held to the budget of this test: {_USAGE}", pytrace=False)


def _asks(item: pytest.Function) -> bool:
    return "cost_budget" in item.fixturenames
