"""Verdicts in words: the figures, by how much a limit was kept or missed, and how to accept what was found."""

from __future__ import annotations

from fractions import Fraction

from convcost.budgets import Increase, LatencyBudget, LatencyIncrease, LayerBudget, Rule, Verdict
from convcost.budgets.codes import LATENCY_OVER, SLOWER, TOO_NOISY, UNCOUNTED, Code
from convcost.units import (
    Unit,
    format_column,
    format_percent,
    format_quantity,
    limit_with_headroom,
    write_quantity,
)

_SPARE = Fraction(1, 10)
"""Above a measured time, where a limit is proposed: the same machine never takes the same time twice."""

_OUTCOMES: dict[Code | None, str] = {SLOWER: "slower", TOO_NOISY: "could be chance"}


def how_to_accept(verdict: Verdict) -> str:
    """What to write, and where, so that the new number is the accepted one; empty where that is not the question."""
    rule, value = verdict.budget, verdict.value
    if isinstance(rule, LatencyBudget | LatencyIncrease):
        return _accepting_time(rule, verdict)
    if value is None or verdict.code in (None, UNCOUNTED):
        return ""
    if isinstance(rule, Increase):
        return f"To accept the new {rule.metric.name}: {_accepting_growth(rule, verdict)}"
    if rule.terms.where is not None:
        return f"To accept the new cost: {_in_config(rule, verdict, str(value))}"
    if isinstance(rule, LayerBudget):
        return f"To accept the new cost: --layer-max '{rule.match}:{rule.metric.name}={value}'"
    return f"To accept the new cost: --max {rule.metric.name}={value}"


def _accepting_time(rule: LatencyBudget | LatencyIncrease, verdict: Verdict) -> str:
    if verdict.code is SLOWER:
        return f"To accept the new latency: {_accepting_growth(rule, verdict)}"
    if verdict.code is not LATENCY_OVER or verdict.value is None:
        return ""
    limit = write_quantity(limit_with_headroom(verdict.value, _SPARE), Unit.TIME)
    written = _in_config(rule, verdict, limit) if rule.terms.where else f"--max latency={limit}"
    return f"To accept the new latency, with 10 % to spare: {written}"


def _in_config(rule: Rule, verdict: Verdict, value: str) -> str:
    """The limit that was passed as the config would say it, be it the one that warns."""
    terms = rule.terms
    if rule.warn is not None and verdict.limit == rule.warn != rule.limit:
        return f"{rule.metric.name} warn: {value} in {terms.warn_at or terms.where}"
    return f"{rule.metric.name}: {value} in {terms.limit_at or terms.where}"


def _accepting_growth(rule: Rule, verdict: Verdict) -> str:
    """A file can be told what is normal now; a revision, only how much more is."""
    if not verdict.revision:
        return "convcost check --update-baseline"
    where = f"in {rule.terms.where}" if rule.terms.where else "by --max-increase"
    return f"allow more growth over {verdict.revision} {where}"


def margin_text(verdict: Verdict) -> str:
    """By how much a limit was kept or missed; the reason where it could not be told, or where times were compared."""
    if isinstance(verdict.budget, LatencyIncrease) and verdict.value is not None and verdict.baseline:
        share = format_percent(Fraction(verdict.value - verdict.baseline, verdict.baseline))
        return f"{share}, {_OUTCOMES.get(verdict.code, 'no slower')}"
    value, limit, margin, unit = verdict.value, verdict.limit, verdict.margin, verdict.budget.metric.unit
    if value is None or limit is None or margin is None:
        return verdict.reason
    if margin == 0:
        return "exactly at the limit"
    if verdict.approximate:
        return f"about {_few_digits(abs(margin))} {'under' if margin > 0 else 'over'}"
    amount = format_quantity(abs(margin), unit)
    if margin > 0:
        return f"{amount} under ({100 * margin / limit:.1f} %)"
    share = f" ({_times_over(value, limit)})" if limit else ""
    return f"{amount} over{share}"


def is_per_layer(verdict: Verdict) -> bool:
    """Whether each layer was held to the limit by itself."""
    return isinstance(verdict.budget, LayerBudget) and verdict.budget.per == "layer"


def growth_text(verdict: Verdict) -> str:
    """`300.8 M → 558.2 M, +85.6 %` for an increase; empty for other budgets, and where the digits would not be true.

    The share by which a time grew is its margin, and is not said again.
    """
    before, value = verdict.baseline, verdict.value
    if before is None or value is None or verdict.approximate:
        return ""
    texts = format_column([before, value], verdict.budget.metric.unit)
    is_in_margin = isinstance(verdict.budget, LatencyIncrease)
    share = f", {format_percent(Fraction(value - before, before))}" if before and not is_in_margin else ""
    return f"{' → '.join(texts)}{share}"


def figures(verdict: Verdict) -> tuple[str, str]:
    """Value and limit as text that tells them apart: `at least 1.2 G`; `…` where there is none."""
    known = [number for number in (verdict.value, verdict.limit) if number is not None]
    texts = dict(zip(known, format_column(known, verdict.budget.metric.unit), strict=True))
    value, limit = ("…" if number is None else texts[number] for number in (verdict.value, verdict.limit))
    if verdict.approximate and verdict.value is not None:
        value = f"about {_few_digits(verdict.value, beside=verdict.limit)}"
    return (f"at least {value}" if verdict.lower_bound and verdict.value is not None else value, limit)


def _times_over(value: int, limit: int) -> str:
    """`+12.5 %`, or `23.1 times the limit` where percent stop being readable."""
    return f"+{100 * (value - limit) / limit:.1f} %" if value < 10 * limit else f"{value / limit:.1f} times the limit"


def _few_digits(nanoseconds: int, *, beside: int | None = None) -> str:
    """One digit, or as many more as leave the number on the side of the limit where it lies."""
    from convcost.latency.wording import time_text

    digits = 1
    while beside is not None and digits < 3 and (_rounded(nanoseconds, digits) > beside) != (nanoseconds > beside):
        digits += 1
    return time_text(nanoseconds / 1e9, digits)


def _rounded(number: int, digits: int) -> float:
    return float(f"{number:.{digits - 1}e}")
