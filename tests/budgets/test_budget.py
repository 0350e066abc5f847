"""What a budget may say."""

from __future__ import annotations

import pytest

from convcost.budgets import Budget, parse_budget
from convcost.errors import UsageError


@pytest.mark.parametrize(
    ("text", "metric", "limit"),
    [
        ("macs=600M", "macs", 600_000_000),
        ("params = 3.6M", "params", 3_600_000),
        ("weight_bytes=20MB", "weight_bytes", 20_000_000),
        ("peak_activation_bytes=8MiB", "peak_activation_bytes", 8_388_608),
    ],
)
def test_a_budget_is_a_metric_and_a_value(text: str, metric: str, limit: int) -> None:
    budget = parse_budget(text)
    assert (budget.metric.name, budget.limit) == (metric, limit)


@pytest.mark.parametrize(
    ("text", "hint"),
    [("600M", "write --max macs=600M"), ("", "write --max macs=600M")],
)
def test_a_value_without_a_metric_is_refused(text: str, hint: str) -> None:
    with pytest.raises(UsageError, match="of which metric") as caught:
        parse_budget(text)
    assert caught.value.hint == hint


def test_python_may_give_a_plain_number() -> None:
    assert Budget.of("params", 3_600_000).limit == 3_600_000


@pytest.mark.parametrize("limit", [-1, 1.5, True, None])
def test_python_may_give_nothing_else(limit: object) -> None:
    with pytest.raises(UsageError):
        Budget.of("params", limit)
