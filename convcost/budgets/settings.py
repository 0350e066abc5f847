"""Which value holds where several places give one: command line, environment, file, default."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from convcost.budgets.baseline import DEFAULT_FILE
from convcost.budgets.budget import Budget, Increase, LatencyBudget, LatencyIncrease, LayerBudget, Level, Rule
from convcost.budgets.config import SETTINGS, Config, Setting
from convcost.budgets.option_text import parse_budget, parse_increase, parse_layer_budget
from convcost.errors import UsageError
from convcost.units import parse_percent

PREFIX = "CONVCOST_"
_DEFAULTS = {
    "baseline": DEFAULT_FILE,
    "base_ref": "",
    "headroom": "10%",
    "warn_only": "false",
    "format": "table",
    "runtime": "",
    "device": "cpu",
    "threads": "1",
    "max_time": "10",
}
_BUDGETS = ("max", "layer_max", "max_increase")
_KNOWN = ("config", *SETTINGS, *_BUDGETS)
COMMAND_LINE, ENVIRONMENT, DEFAULT = "command line", "environment", "default"


def resolve_settings(
    given: Mapping[str, str | None], environment: Mapping[str, str], config: Config
) -> dict[str, Setting]:
    """Every setting with the place its value is from; raises `UsageError` for one that resembles none.

    A baseline and a base ref exclude each other: the one from the stronger place holds.
    """
    check_environment(environment)
    found = {name: Setting(value=value, where=DEFAULT) for name, value in _DEFAULTS.items()}
    rank = dict.fromkeys(_DEFAULTS, 0)
    layers = (
        config.settings,
        {name: Setting(value=value, where=f"{ENVIRONMENT} {variable(name)}") for name, value in _set(environment)},
        {name: Setting(value=value, where=COMMAND_LINE) for name, value in given.items() if value is not None},
    )
    for strength, layer in enumerate(layers, start=1):
        for name, setting in layer.items():
            found[name], rank[name] = setting, strength
    if rank["baseline"] and rank["baseline"] == rank["base_ref"]:
        with told_where(found["base_ref"]):
            raise UsageError("--baseline and --base-ref are both given", hint="compare with one of the two")
    if rank["baseline"] > rank["base_ref"]:
        found["base_ref"] = Setting(value="", where=DEFAULT)
    return found


def variable(name: str) -> str:
    """The environment variable of a setting.

    >>> variable("base_ref")
    'CONVCOST_BASE_REF'
    """
    return f"{PREFIX}{name.upper()}"


def environment_rules(environment: Mapping[str, str]) -> tuple[Rule, ...]:
    """The budgets of CONVCOST_MAX, CONVCOST_LAYER_MAX and CONVCOST_MAX_INCREASE, several apart by commas."""
    readers = (parse_budget, parse_layer_budget, parse_increase)
    parsers: dict[str, Callable[[str], Rule]] = dict(zip(_BUDGETS, readers, strict=True))
    rules: list[Rule] = []
    for name, parse in parsers.items():
        for text in filter(None, (part.strip() for part in environment.get(variable(name), "").split(","))):
            try:
                rules.append(parse(text))
            except UsageError as error:
                raise UsageError(f"{variable(name)}: {error.message}", hint=error.hint) from None
    return tuple(rules)


def merge_rules(*places: Iterable[Rule]) -> tuple[Rule, ...]:
    """The budgets of weaker places, then stronger ones; a stronger one stands in for those of its metric and kind."""
    merged: list[Rule] = []
    for place in places:
        rules = list(place)
        replaced = {_replaces(rule) for rule in rules}
        merged = [rule for rule in merged if _replaces(rule) not in replaced] + rules
    return tuple(merged)


def warn_only(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The same budgets, none of which fails a check."""
    return tuple(
        replace(rule, terms=replace(rule.terms, level=Level.WARN)) if rule.terms.level is Level.ERROR else rule
        for rule in rules
    )


@contextlib.contextmanager
def told_where(setting: Setting) -> Iterator[None]:
    """A complaint about a setting that is no option begins with its place."""
    try:
        yield
    except UsageError as error:
        if setting.where == COMMAND_LINE:
            raise
        raise UsageError(f"{setting.where}: {error.message}", hint=error.hint) from None


def headroom_of(text: str) -> Fraction:
    """The share a headroom such as `10%` says; raises `UsageError`."""
    share = parse_percent(text)
    if share is None:
        raise UsageError(f"--headroom takes a share such as 10%, not '{text}'", hint="write --headroom 10%")
    return share


def is_true(setting: Setting) -> bool:
    """Whether a flag is set; raises `UsageError` for a word that says neither."""
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if setting.value.lower() not in known:
        raise UsageError(f"{setting.where}: '{setting.value}' is neither true nor false", hint="write true or false")
    return known[setting.value.lower()]


def check_environment(environment: Mapping[str, str]) -> None:
    """Raises `UsageError` for a CONVCOST_ variable that is one letter or two away from one with a meaning."""
    known = [variable(name) for name in _KNOWN]
    for name in environment:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.85)
        if name.startswith(PREFIX) and name not in known and near:
            raise UsageError(f"the environment sets {name}, which means nothing", hint=f"did you mean {near[0]}?")


def _set(environment: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Settings the environment gives; an empty variable is one that is not set."""
    return [(name, environment[variable(name)]) for name in SETTINGS if environment.get(variable(name))]


def _replaces(rule: Rule) -> tuple[str, str, str]:
    match rule:
        case Budget() | LatencyBudget():
            return ("total", rule.metric.name, "")
        case Increase() | LatencyIncrease():
            return ("increase", rule.metric.name, "")
        case LayerBudget():
            return ("layer", rule.metric.name, f"{rule.match} {rule.kind} {rule.per}")
