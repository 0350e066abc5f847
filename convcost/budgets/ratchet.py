"""Limits lowered to what was measured plus headroom, in the config's own text and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction

from convcost.budgets.budget import Budget, LayerBudget
from convcost.budgets.verdict import Status, Verdict
from convcost.dataclasses import dataclass
from convcost.located import Location
from convcost.units import format_column, limit_with_headroom, write_quantity

_NUMBER = re.compile(r"(?P<quote>[\"']?)(?P<number>[0-9]+(?:[_,.][0-9]+)*(?: *[A-Za-z]+)?)(?P=quote)(?![\w.+-])")

# What ends a line, where the two languages and so their readers differ.
_YAML_LINE_END = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
_TOML_LINE_END = re.compile(r"\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tightening:
    """One limit of the config to write anew."""

    rule: Budget | LayerBudget
    at: Location
    limit: int
    lower: int

    def text(self) -> str:
        """What was lowered, from where to where."""
        old, new = format_column([self.limit, self.lower], self.rule.metric.unit)
        return f"{self.at}: {self.rule.subject} lowered from {old} to {new}"


def tightenings(verdicts: Iterable[Verdict], headroom: Fraction) -> tuple[Tightening, ...]:
    """Every config limit that all its models keep with more than the headroom to spare.

    A limit that holds for several models goes to what the costliest of them needs; one that some model breaks,
    or about which nothing can be told, stays.
    """
    by_place: dict[Location, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.budget.terms.limit_at is not None:
            by_place.setdefault(verdict.budget.terms.limit_at, []).append(verdict)
    found = []
    for at, several in by_place.items():
        rule = several[0].budget
        values = [each.value for each in several if each.value is not None]
        kept = all(each.status in (Status.PASS, Status.WARN) and not each.lower_bound for each in several)
        if not isinstance(rule, Budget | LayerBudget) or rule.limit is None or not kept or not values:
            continue
        # Below its warning threshold a limit would be refused when the config is read again.
        lower = max(limit_with_headroom(max(values), headroom), rule.warn or 0)
        if lower < rule.limit:
            found.append(Tightening(rule=rule, at=at, limit=rule.limit, lower=lower))
    return tuple(found)


def rewritten(text: str, changes: Iterable[Tightening]) -> str:
    """The config with each limit in its place; what stands around them, comments and line ends too, stays."""
    backwards = sorted(changes, key=lambda each: (each.at.line, each.at.column), reverse=True)
    toml = any(change.at.file.endswith(".toml") for change in backwards)
    starts = _line_starts(text, _TOML_LINE_END if toml else _YAML_LINE_END)
    for change in backwards:
        start = starts[change.at.line] + change.at.column - 1
        match = _NUMBER.match(text, start)
        if match is None:
            raise change.at.error("this limit cannot be rewritten", hint="lower it by hand")
        bare_toml = toml and not match["quote"]  # takes digits and nothing else
        plain = match["number"].isdigit() or bare_toml
        number = str(change.lower) if plain else write_quantity(change.lower, change.rule.metric.unit)
        text = f"{text[:start]}{match['quote']}{number}{match['quote']}{text[match.end() :]}"
    return text


def _line_starts(text: str, line_end: re.Pattern[str]) -> Mapping[int, int]:
    """Where each line begins, by its number from 1 on; a byte order mark stands before the first."""
    first = len(text) - len(text.lstrip("\ufeff"))
    starts = [first, *(match.end() for match in line_end.finditer(text))]
    return dict(enumerate(starts, start=1))
