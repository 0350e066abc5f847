"""Limits on what a model may cost, and whether it keeps to them."""

from __future__ import annotations

from convcost.budgets.budget import (
    Budget,
    Increase,
    LatencyBudget,
    LatencyIncrease,
    LayerBudget,
    Level,
    Rule,
)
from convcost.budgets.difference import Difference, difference
from convcost.budgets.judge import Reference, check_analysis
from convcost.budgets.option_text import parse_budget
from convcost.budgets.timing import TimedReference, Timing
from convcost.budgets.verdict import Cause, Status, Verdict, Verdicts, exit_code

__all__ = [
    "Budget",
    "Cause",
    "Difference",
    "Increase",
    "LatencyBudget",
    "LatencyIncrease",
    "LayerBudget",
    "Level",
    "Reference",
    "Rule",
    "Status",
    "TimedReference",
    "Timing",
    "Verdict",
    "Verdicts",
    "check_analysis",
    "difference",
    "exit_code",
    "parse_budget",
]
