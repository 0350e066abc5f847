"""The budgets of a config: what each entry limits, by how much, and at which level."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from convcost.analysis.metrics import LATENCY, METRICS, Metric, Quantity, quantity_named
from convcost.budgets.budget import (
    Budget,
    Growth,
    Increase,
    LatencyBudget,
    LatencyIncrease,
    LayerBudget,
    Level,
    Rule,
    Terms,
    growth_of,
    limit_of,
)
from convcost.budgets.option_text import metric_of_layers
from convcost.errors import UsageError
from convcost.located import (
    Located,
    LocatedMapping,
    LocatedScalar,
    Location,
    choice_of,
    mapping_of,
    quoted,
    shown,
    text_of,
)
from convcost.units import example_of

_METRICS = (*(metric.name for metric in METRICS), LATENCY.name)
_Number = TypeVar("_Number", int, Growth)


def plain_keys(mapping: LocatedMapping) -> LocatedMapping:
    """`ignore-below` as `ignore_below`: both are accepted, not both at once."""
    entries: dict[str, Located] = {}
    places: dict[str, Location] = {}
    for key, value in mapping.entries.items():
        plain = key.replace("-", "_")
        if plain in entries:
            raise mapping.key_places[key].error(f"{quoted(key)} is {quoted(plain)} again", hint="keep one of the two")
        entries[plain], places[plain] = value, mapping.key_places[key]
    return replace(mapping, entries=entries, key_places=places)


def budgets_of(item: Located) -> Iterator[Rule]:
    """The budgets of one entry under `budgets`; raises `LocatedError`."""
    keys = ("model", "message", "level", "increase", "ignore_below")
    entry, terms = _entry(item, keys, of="a budget")
    for metric, value in _metrics(entry, keys):
        limit, warn, own = _thresholds(metric, value, limit_of, terms)
        if isinstance(metric, Metric):
            yield Budget(metric=metric, limit=limit, warn=warn, terms=own)
        else:
            yield LatencyBudget(limit=limit, warn=warn, terms=replace(own, level=_level(entry, Level.WARN)))
    growth = entry.entries.get("increase")
    if growth is not None:
        allowed = plain_keys(mapping_of(growth, "increase"))
        allowed.check_keys(_METRICS, of="increase")
        _refuse_unlike(allowed, entry)
        for metric, value in _metrics(allowed, ()):
            yield _increase(metric, value, entry, terms)
    elif "ignore_below" in entry.entries:
        raise entry.key_places["ignore_below"].error("'ignore_below' belongs to an increase", hint="add increase: …")


def _refuse_unlike(allowed: LocatedMapping, entry: LocatedMapping) -> None:
    """One `ignore_below` is one amount: of times, of bytes or of counts."""
    if "ignore_below" in entry.entries and len({quantity_named(key).unit for key in allowed.entries}) > 1:
        message = "'ignore_below' is one amount, and the metrics of this increase differ in their unit"
        raise entry.key_places["ignore_below"].error(message, hint="give each unit a budget of its own")


def _increase(metric: Quantity, value: Located, entry: LocatedMapping, terms: Terms) -> Increase | LatencyIncrease:
    limit, warn, own = _thresholds(metric, value, growth_of, terms)
    ignored = entry.entries.get("ignore_below")
    below = _at(ignored, lambda given: limit_of(metric, given)) if ignored is not None else 0
    if isinstance(metric, Metric):
        return Increase(metric=metric, limit=limit, warn=warn, ignore_below=below, terms=own)
    own = replace(own, level=_level(entry, Level.WARN))
    return LatencyIncrease(limit=limit, warn=warn, ignore_below=below, terms=own)


def layer_budgets_of(item: Located) -> Iterator[LayerBudget]:
    """Those of one entry under `layer_budgets`; raises `LocatedError`."""
    keys = ("model", "message", "level", "match", "kind", "per")
    entry, terms = _entry(item, keys, of="a layer budget")
    match, kind, per = (entry.entries.get(key) for key in ("match", "kind", "per"))
    if match is None and kind is None:
        raise entry.where.error("a layer budget says which layers", hint="add match: 'features.*' or kind: depthwise")
    for metric, value in _metrics(entry, keys):
        try:
            measured = metric_of_layers(metric)
        except UsageError as error:
            raise value.where.error(error.message, hint="move it to budgets") from None
        limit, warn, own = _thresholds(measured, value, limit_of, terms)
        yield LayerBudget(
            metric=measured,
            limit=limit,
            warn=warn,
            match=text_of(match, "match") if match is not None else "*",
            kind=text_of(kind, "kind") if kind is not None else None,
            per=choice_of(per, "per", ("layer", "sum")) if per is not None else "layer",
            terms=own,
        )


def _entry(item: Located, keys: tuple[str, ...], *, of: str) -> tuple[LocatedMapping, Terms]:
    entry = plain_keys(mapping_of(item, of))
    entry.check_keys((*keys, *_METRICS), of=of)
    if not set(entry.entries) & {*_METRICS, "increase"}:
        raise entry.where.error(f"{of} limits no metric", hint=f"add one of {', '.join(_METRICS)}")
    model, message = (entry.entries.get(key) for key in ("model", "message"))
    return entry, Terms(
        model=text_of(model, "model") if model is not None else "*",
        message=text_of(message, "message") if message is not None else "",
        level=_level(entry, Level.ERROR),
    )


def _level(entry: LocatedMapping, default: Level) -> Level:
    level = entry.entries.get("level")
    return default if level is None else Level(choice_of(level, "level", [each.value for each in Level]))


def _metrics(entry: LocatedMapping, others: tuple[str, ...]) -> Iterator[tuple[Quantity, Located]]:
    yield from ((quantity_named(key), value) for key, value in entry.entries.items() if key not in others)


def _thresholds(
    metric: Quantity, value: Located, read: Callable[[Quantity, object], _Number], terms: Terms
) -> tuple[_Number | None, _Number | None, Terms]:
    """The limit, the warning threshold, and the terms with the places where they are written."""
    if not isinstance(value, LocatedMapping):
        limit = _at(value, lambda given: read(metric, given))
        return limit, None, replace(terms, where=value.where, limit_at=value.where)
    value.check_keys(("max", "warn"), of=metric.name)
    if not value.entries:
        raise value.where.error(
            f"{metric.name} has neither max nor warn", hint=f"write {metric.name}: {example_of(metric.unit)}"
        )
    top, low = (value.entries.get(key) for key in ("max", "warn"))
    highest, warn = (_at(each, lambda given: read(metric, given)) if each else None for each in (top, low))
    if highest is not None and warn is not None and _is_above(warn, highest):
        hint = f"let {metric.name} warn below its max"
        raise value.key_places["warn"].error("warn is above max, and would never be reached", hint=hint)
    places = replace(terms, where=value.where, limit_at=top.where if top else None, warn_at=low.where if low else None)
    return highest, warn, places


def _is_above(warn: int | Growth, limit: int | Growth) -> bool:
    """A share and an amount of growth cannot be told apart before the model is known."""
    if isinstance(warn, Growth) and isinstance(limit, Growth):
        alike = (warn.share is None) is (limit.share is None)
        return alike and (warn.share or 0, warn.amount) > (limit.share or 0, limit.amount)
    return isinstance(warn, int) and isinstance(limit, int) and warn > limit


_Read = TypeVar("_Read")


def _at(value: Located, read: Callable[[object], _Read]) -> _Read:
    """What a reader of plain values makes of this one; its complaint gets the place."""
    if not isinstance(value, LocatedScalar) or value.value is None or isinstance(value.value, bool):
        raise value.where.error(f"a limit is a number with its unit, not {shown(value)}", hint="such as macs: 600M")
    try:
        return read(value.value)
    except UsageError as error:
        hint = error.hint.replace("=", ": ") if error.hint.startswith("write ") else error.hint
        raise value.where.error(error.message, hint=hint) from None
