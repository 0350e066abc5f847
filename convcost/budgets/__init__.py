"""Limits on what a model may cost, and whether it keeps to them."""

from __future__ import annotations

from convcost.budgets.budget import Budget, parse_budget
from convcost.budgets.verdict import Status, Verdict, Verdicts, check_analysis, exit_code

__all__ = ["Budget", "Status", "Verdict", "Verdicts", "check_analysis", "exit_code", "parse_budget"]
