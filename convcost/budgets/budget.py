"""Limits on what a model may cost: on its totals, on its layers, and on how much it may grow."""

from __future__ import annotations

import enum
import fnmatch
from collections.abc import Iterable
from fractions import Fraction
from typing import Literal, TypeAlias

from convcost.analysis import Layer
from convcost.analysis.metrics import LATENCY, Metric, Quantity, metric_named
from convcost.dataclasses import dataclass
from convcost.errors import UsageError
from convcost.located import Location
from convcost.units import Unit, example_of, format_percent, format_quantity, parse_percent, parse_quantity


class Level(enum.Enum):
    """What missing a budget means: exit code 1, a warning, or nothing because the budget is not looked at."""

    ERROR = "error"
    WARN = "warn"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What every budget says beside its number. `where` is its line in the config; a command line has none.

    `limit_at` is the place of the limit's own text, which `--ratchet` may write anew; `warn_at` that of the threshold
    from which it is spoken of.
    """

    model: str = "*"
    message: str = ""
    level: Level = Level.ERROR
    where: Location | None = None
    limit_at: Location | None = None
    warn_at: Location | None = None

    def holds_for(self, model: str) -> bool:
        return fnmatch.fnmatchcase(model, self.model)


_EVERYWHERE = Terms()
_WARNING = Terms(level=Level.WARN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A model's total of `metric` may be `limit` at most, and from above `warn` on it is spoken of."""

    metric: Metric
    limit: int | None
    warn: int | None = None
    terms: Terms = _EVERYWHERE

    @classmethod
    def of(cls, metric: str, limit: int | str) -> Budget:
        """A budget from `("macs", "600M")` or `("macs", 600_000_000)`; raises `UsageError`."""
        known = metric_named(metric)
        return cls(metric=known, limit=limit_of(known, limit))

    @property
    def subject(self) -> str:
        return self.metric.name


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerBudget:
    """The same for layers whose name matches `match` and whose kind is `kind`: for each alone, or for their sum."""

    metric: Metric
    limit: int | None
    warn: int | None = None
    match: str = "*"
    kind: str | None = None
    per: Literal["layer", "sum"] = "layer"
    terms: Terms = _EVERYWHERE

    @property
    def subject(self) -> str:
        which = self.match if self.kind is None else f"{self.kind} {self.match}"
        return f"{self.metric.name} of {'each' if self.per == 'layer' else 'all'} {which}"

    def select(self, layers: Iterable[Layer]) -> tuple[Layer, ...]:
        """The layers it speaks of, in their order."""
        return tuple(
            layer
            for layer in layers
            if fnmatch.fnmatchcase(layer.name, self.match) and self.kind in (None, layer.node.op.kind)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How much more than before: a share of the old value, or an amount."""

    share: Fraction | None = None
    amount: int = 0

    def ceiling(self, before: int) -> int:
        """The largest whole value that has not grown by more."""
        return before + (before * self.share.numerator // self.share.denominator if self.share else self.amount)

    def allowed(self, before: int, ignore_below: int) -> int:
        """The same where growth of less than `ignore_below` is none."""
        return max(self.ceiling(before), before + max(ignore_below - 1, 0))

    def text(self, unit: Unit) -> str:
        if self.share is not None:
            return format_percent(self.share).replace(" ", "")
        return f"+{format_quantity(self.amount, unit)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Increase:
    """A model's total of `metric` may grow by `limit` over its baseline; less than `ignore_below` is no growth."""

    metric: Metric
    limit: Growth | None
    warn: Growth | None = None
    ignore_below: int = 0
    terms: Terms = _EVERYWHERE

    @property
    def subject(self) -> str:
        return f"increase of {self.metric.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyBudget:
    """A model may take `limit` nanoseconds at most. Times depend on the machine: unless told to fail, it warns."""

    limit: int | None
    warn: int | None = None
    terms: Terms = _WARNING

    @property
    def metric(self) -> Quantity:
        return LATENCY

    @property
    def subject(self) -> str:
        return LATENCY.name


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyIncrease:
    """A model's latency may grow by `limit` over what it took before; less than `ignore_below` ns is no growth."""

    limit: Growth | None
    warn: Growth | None = None
    ignore_below: int = 0
    terms: Terms = _WARNING

    @property
    def metric(self) -> Quantity:
        return LATENCY

    @property
    def subject(self) -> str:
        return f"increase of {LATENCY.name}"


LatencyRule: TypeAlias = LatencyBudget | LatencyIncrease
Rule: TypeAlias = Budget | LayerBudget | Increase | LatencyRule


def limit_of(metric: Quantity, value: object) -> int:
    """A limit as a whole number from text with a unit or from a number; raises `UsageError`."""
    if isinstance(value, int) and not isinstance(value, bool) and metric.unit is Unit.TIME:
        value = str(value)
    if isinstance(value, str):
        return parse_quantity(value, metric.unit, metric=metric.name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UsageError(f"{value!r} is not a limit for {metric.name}", hint=f"write {_example(metric)}")
    return value


def growth_of(metric: Quantity, value: object) -> Growth:
    """Growth from `+5%`, `5%`, or an amount such as `+2M`; raises `UsageError`."""
    text = value.strip() if isinstance(value, str) else ""
    share = parse_percent(text)
    if share is not None:
        return Growth(share=share)
    if text[:1].isdigit() or isinstance(value, int):
        raise UsageError(
            f"'{value}' does not say growth of {metric.name} by what",
            hint=f"write {metric.name}=+{text or value} for an amount, {metric.name}=+5% for a share",
        )
    if not text.startswith("+"):
        raise UsageError(f"{value!r} is not growth of {metric.name}", hint=f"write {metric.name}=+5%")
    return Growth(amount=parse_quantity(text[1:], metric.unit, metric=metric.name))


def _example(metric: Quantity) -> str:
    return f"{metric.name}={example_of(metric.unit)}{'' if metric.unit is Unit.TIME else ' or a whole number'}"
