"""What a check is to do, decided before anything is read: command line, environment and config file together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from convcost.budgets import LatencyBudget, LatencyIncrease, Level, Rule
from convcost.budgets.config import RUNNING, Config, Setting
from convcost.budgets.settings import (
    DEFAULT,
    environment_rules,
    headroom_of,
    is_true,
    merge_rules,
    resolve_settings,
    told_where,
    warn_only,
)
from convcost.cli.config_file import request_for
from convcost.cli.gating import Configuring, Gating
from convcost.cli.options import Reading, Running
from convcost.dataclasses import dataclass
from convcost.errors import UsageError
from convcost.sources.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedModel:
    """A model to check: its name, which budgets and baselines go by, and how to read it."""

    name: str
    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything a check is to do, decided before anything is read."""

    config: Config
    models: tuple[CheckedModel, ...]
    rules: tuple[Rule, ...]
    settings: Mapping[str, Setting]

    def latency_rules(self, model: CheckedModel) -> tuple[LatencyBudget | LatencyIncrease, ...]:
        """Those budgets for which the model has to be run."""
        return tuple(
            rule
            for rule in self.rules
            if isinstance(rule, LatencyBudget | LatencyIncrease)
            and rule.terms.level is not Level.OFF
            and rule.terms.holds_for(model.name)
        )

    @property
    def running(self) -> Running:
        """What to measure with; raises `UsageError` with the place of a setting that cannot be."""
        for name in RUNNING:
            with told_where(self.settings[name]):
                alone = _running(self.settings, name)
                alone.setting("torch")
                alone.protocol()
        return _running(self.settings, *RUNNING)


def plan_check(
    targets: list[str],
    reading: Reading,
    gating: Gating,
    configuring: Configuring,
    given: Mapping[str, str | None] = MappingProxyType({}),
) -> Plan:
    """Command line over environment over file over default; raises `ConvcostError` for what does not fit together.

    `given` are settings of the command line that the other groups do not hold.
    """
    own = gating.rules()
    config, environment = configuring.load(), configuring.environment
    settings = resolve_settings({**gating.given(), **given}, environment, config)
    _check_values(settings)
    rules = merge_rules(config.rules, environment_rules(environment), own)
    if is_true(settings["warn_only"]):
        rules = warn_only(rules)
    return Plan(config=config, models=_models(targets, reading, config), rules=rules, settings=settings)


def _check_values(settings: Mapping[str, Setting]) -> None:
    """Raises `UsageError` for what can never be right, also where nothing uses it yet; the machine may be another."""
    with told_where(settings["headroom"]):
        headroom_of(settings["headroom"].value)
    for name in RUNNING:
        if settings[name].where != DEFAULT:
            with told_where(settings[name]):
                _running(settings, name).check()


def _running(settings: Mapping[str, Setting], *names: str) -> Running:
    return Running(**{name: settings[name].value or None for name in names})


def _models(targets: list[str], reading: Reading, config: Config) -> tuple[CheckedModel, ...]:
    """The targets given, each under its name in the config where it has one; without any, the config's models."""
    known = [CheckedModel(name=entry.name, request=request_for(entry, config)) for entry in config.models]
    if not targets:
        if reading.input or reading.dim:
            raise UsageError("--input and --dim are for the targets of the command line", hint="name a TARGET too")
        return tuple(replace(model, request=reading.trusting(model.request)) for model in known)
    by_word = {word: model for model in known for word in (model.request.target, model.name)}
    return tuple(_model(target, by_word.get(_path(target)), reading) for target in dict.fromkeys(targets))


def _model(target: str, entry: CheckedModel | None, reading: Reading) -> CheckedModel:
    if entry is None:
        return CheckedModel(name=target, request=reading.request(target))
    if reading.input or reading.dim:
        return CheckedModel(name=entry.name, request=reading.request(entry.request.target))
    return replace(entry, request=reading.trusting(entry.request))


def _path(target: str) -> str:
    """A file as the config's own paths are written; anything else as it is."""
    return os.path.relpath(target) if Path(target).exists() else target
