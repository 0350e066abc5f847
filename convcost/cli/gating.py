"""The options of `check`, and what they come to together with the environment and the config file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, ClassVar

import typer

from convcost.budgets import LatencyBudget, LatencyIncrease, Level, Rule
from convcost.budgets.config import RUNNING, Config, Setting
from convcost.budgets.option_text import parse_budget, parse_increase, parse_layer_budget
from convcost.budgets.settings import (
    COMMAND_LINE,
    environment_rules,
    is_true,
    merge_rules,
    resolve_settings,
    warn_only,
)
from convcost.cli.config_file import load_config, request_for
from convcost.cli.options import Reading, Running, Writing
from convcost.cli.values import one_of
from convcost.errors import UsageError
from convcost.reports import CHECK_FORMATS
from convcost.sources.request import Request


@dataclass(frozen=True, kw_only=True)
class CheckWriting(Writing):
    """The same, with the formats that CI systems read."""

    formats: ClassVar[Mapping[str, str]] = CHECK_FORMATS
    format: Annotated[
        str,
        typer.Option("-f", "--format", metavar="|".join(CHECK_FORMATS), help="Format of the report (default table)."),
    ] = ""

    def __post_init__(self) -> None:
        if self.format:  # otherwise the config may say which
            super().__post_init__()

    def given(self) -> str | None:
        """The format of the command line; --query prints a value, whatever a config says of reports."""
        return self.format or (None if self.query is None else "table")

    def settled(self, setting: Setting) -> CheckWriting:
        """The same with the format that holds; raises `UsageError` for one that does not exist."""
        if setting.where != COMMAND_LINE:
            one_of(setting.value, self.formats, option=f"{setting.where}: format")
        return replace(self, format=setting.value)


@dataclass(frozen=True, kw_only=True)
class Configuring:
    """Which config file holds."""

    config: Annotated[
        str | None, typer.Option("--config", metavar="FILE", help="The config, instead of the nearest one.")
    ] = None
    isolated: Annotated[bool, typer.Option("--isolated", help="Look at no config file and no CONVCOST_ variable.")] = (
        False
    )

    def load(self) -> Config:
        return load_config(self.config, isolated=self.isolated)

    @property
    def environment(self) -> Mapping[str, str]:
        return {} if self.isolated else os.environ


@dataclass(frozen=True, kw_only=True)
class Gating:
    """Budgets and baselines as the command line gives them."""

    maximum: Annotated[
        list[str],
        typer.Option(
            "--max",
            metavar="METRIC=VALUE",
            help="A limit, such as macs=600M, weight_bytes=20MB or latency=12ms; repeatable.",
        ),
    ] = field(default_factory=list)
    layer_maximum: Annotated[
        list[str],
        typer.Option("--layer-max", metavar="GLOB:METRIC=VALUE", help="A limit on each layer alone; repeatable."),
    ] = field(default_factory=list)
    increase: Annotated[
        list[str],
        typer.Option("--max-increase", metavar="METRIC=5%", help="A limit on growth over the baseline; repeatable."),
    ] = field(default_factory=list)
    baseline: Annotated[
        str | None,
        typer.Option("--baseline", metavar="FILE", help="The baseline (default convcost-baseline.json)."),
    ] = None
    base_ref: Annotated[
        str | None,
        typer.Option("--base-ref", metavar="REF", help="Compare with the models of that revision, without a file."),
    ] = None
    warn_only: Annotated[bool, typer.Option("--warn-only", help="Report, and fail for nothing.")] = False

    def given(self) -> dict[str, str | None]:
        """The settings among the options, None where the option was left out."""
        return {
            "baseline": self.baseline,
            "base_ref": self.base_ref,
            "warn_only": "true" if self.warn_only else None,
        }

    def rules(self) -> tuple[Rule, ...]:
        """The budgets among the options; raises `UsageError`."""
        return (
            *map(parse_budget, self.maximum),
            *map(parse_layer_budget, self.layer_maximum),
            *map(parse_increase, self.increase),
        )


@dataclass(frozen=True, kw_only=True)
class Accepting:
    """What to write so that today's numbers are the accepted ones."""

    update_baseline: Annotated[
        bool, typer.Option("--update-baseline", help="Accept today's numbers: write the models into the baseline.")
    ] = False
    ratchet: Annotated[
        bool, typer.Option("--ratchet", help="Lower the config's limits to what was measured, plus headroom.")
    ] = False
    headroom: Annotated[
        str | None, typer.Option("--headroom", metavar="10%", help="How much --ratchet leaves above what was measured.")
    ] = None


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
        values = {name: self.settings[name].value or None for name in RUNNING}
        for name, value in values.items():
            try:
                alone = Running(**{name: value})
                alone.setting("torch")
                alone.protocol()
            except UsageError as error:
                where = self.settings[name].where
                if where == COMMAND_LINE:
                    raise
                raise UsageError(f"{where}: {error.message}", hint=error.hint) from None
        return Running(**values)


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
    rules = merge_rules(config.rules, environment_rules(environment), own)
    if is_true(settings["warn_only"]):
        rules = warn_only(rules)
    return Plan(config=config, models=_models(targets, reading, config), rules=rules, settings=settings)


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
