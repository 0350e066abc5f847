"""The config that holds, as a report: each value and where it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from convcost import __version__
from convcost.analysis import Json
from convcost.budgets import Budget, Increase, LatencyBudget, LatencyIncrease, LayerBudget, Rule
from convcost.budgets.config import Config, Setting
from convcost.dataclasses import dataclass
from convcost.reports.document import Column, Document, Kind, Row, Table
from convcost.units import Unit, format_exact

SCHEMA = "convcost/config/1"
_SETTINGS = ("setting", "value", "where")
_MODELS = ("model", "target", "inputs", "where")
_BUDGETS = ("budget", "model", "limit", "warn", "level", "where")
_GIVEN = "command line or environment"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsReport:
    """`rules` and `settings` are those that hold, whichever place they are from."""

    config: Config
    rules: tuple[Rule, ...]
    settings: Mapping[str, Setting]

    def documents(self) -> tuple[Document, ...]:
        tables = [_table(_SETTINGS, self._settings())]
        if self.config.models:
            tables.append(_table(_MODELS, self._models()))
        if self.rules:
            tables.append(_table(_BUDGETS, self._budgets()))
        return (Document(title=self.config.file or "no config file", tables=tuple(tables)),)

    def records(self) -> Table:
        return _table(_SETTINGS, self._settings())

    def to_json(self) -> Json:
        return {
            "schema": SCHEMA,
            "convcost": __version__,
            "file": self.config.file or None,
            "settings": _objects(_SETTINGS, self._settings()),
            "models": _objects(_MODELS, self._models()),
            "budgets": _objects(_BUDGETS, self._budgets()),
        }

    def _settings(self) -> list[Row]:
        return [(name, setting.value, setting.where) for name, setting in sorted(self.settings.items())]

    def _models(self) -> list[Row]:
        return [
            (
                entry.name,
                entry.target,
                ", ".join(
                    f"{each.name or at}: {'x'.join(map(str, each.shape))}" for at, each in enumerate(entry.inputs)
                ),
                str(entry.where),
            )
            for entry in self.config.models
        ]

    def _budgets(self) -> list[Row]:
        return [
            (rule.subject, rule.terms.model, *_limits(rule), rule.terms.level.value, _where(rule))
            for rule in self.rules
        ]


def _limits(rule: Rule) -> tuple[str, str]:
    unit = rule.metric.unit
    match rule:
        case Budget() | LayerBudget() | LatencyBudget():
            limit, warn = (_exact(number, unit) for number in (rule.limit, rule.warn))
        case Increase() | LatencyIncrease():
            limit, warn = ("" if growth is None else growth.text(unit) for growth in (rule.limit, rule.warn))
    return limit, warn


def _exact(number: int | None, unit: Unit) -> str:
    return "" if number is None else format_exact(number, unit)


def _where(rule: Rule) -> str:
    return str(rule.terms.where) if rule.terms.where else _GIVEN


def _table(keys: Iterable[str], rows: Iterable[Row]) -> Table:
    columns = tuple(Column(key=key, title=key.capitalize(), kind=Kind.TEXT) for key in keys)
    return Table(columns=columns, rows=tuple(rows))


def _objects(keys: tuple[str, ...], rows: Iterable[Row]) -> Json:
    return [dict(zip(keys, row, strict=True)) for row in rows]
