"""The options of `check`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Annotated, ClassVar

import typer

from convcost.budgets import Rule
from convcost.budgets.config import Config, Setting
from convcost.budgets.option_text import parse_budget, parse_increase, parse_layer_budget
from convcost.budgets.settings import COMMAND_LINE
from convcost.cli.config_file import load_config
from convcost.cli.options import Writing
from convcost.cli.values import one_of
from convcost.dataclasses import dataclass
from convcost.reports import CHECK_FORMATS


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
