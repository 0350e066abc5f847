"""A config's values, wherever they were written, to models, budgets and settings; every complaint has its line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from convcost.analysis.metrics import LATENCY, METRICS, Metric, Quantity
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
from convcost.budgets.option_text import metric_of_layers, quantity_named
from convcost.errors import UsageError
from convcost.graph import DType, Shape
from convcost.located import (
    Located,
    LocatedMapping,
    LocatedScalar,
    Location,
    choice_of,
    flag_of,
    integer_of,
    list_of,
    mapping_of,
    quoted,
    shown,
    text_of,
)
from convcost.units import example_of

VERSION = 1
_MOST = 2**62
_METRICS = (*(metric.name for metric in METRICS), LATENCY.name)
_NUMBERS = ("threads", "max_time")
_TARGETS = ("path", "factory", "spec")
_DTYPES = {str(dtype.value): dtype for dtype in DType}
_Number = TypeVar("_Number", int, Growth)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInput:
    """One input's shape; without a name it stands at its position."""

    shape: Shape
    name: str | None = None
    dtype: DType | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """A model that a config names. `target` is as written: where `is_file`, relative to the config's folder."""

    name: str
    target: str
    is_file: bool = True
    inputs: tuple[ModelInput, ...] = ()
    dims: tuple[tuple[str, int], ...] = ()
    where: Location | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One value that a command line or the environment could give as well, and where it was found."""

    value: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything a config file says; `file` is empty where there is none."""

    file: str = ""
    models: tuple[ModelEntry, ...] = ()
    rules: tuple[Rule, ...] = ()
    settings: Mapping[str, Setting]


RUNNING = ("runtime", "device", "threads", "max_time")
"""What latency budgets are measured with."""

SETTINGS = ("baseline", "base_ref", "headroom", "warn_only", "format", *RUNNING)
"""What may stand in the environment too, as CONVCOST_BASELINE and so on."""

_KEYS = ("version", *SETTINGS, "models", "budgets", "layer_budgets")


def read_config(root: Located, *, file: str) -> Config:
    """The config a file holds; raises `LocatedError` at the first thing in it that cannot be meant."""
    config = _plain_keys(mapping_of(root, "a config"))
    config.check_keys(_KEYS, of="the config")
    _check_version(config)
    models = tuple(_model(item) for item in _items(config, "models"))
    for at, model in enumerate(models):
        if model.where and model.name in {earlier.name for earlier in models[:at]}:
            raise model.where.error(f"a second model is named {quoted(model.name)}", hint="give each its own name")
    rules = (
        *(rule for item in _items(config, "budgets") for rule in _budgets(item)),
        *(rule for item in _items(config, "layer_budgets") for rule in _layer_budgets(item)),
    )
    settings = {
        key: Setting(value=_setting(key, config.entries[key]), where=str(config.key_places[key]))
        for key in SETTINGS
        if key in config.entries
    }
    return Config(file=file, models=models, rules=rules, settings=settings)


def _items(config: LocatedMapping, key: str) -> tuple[Located, ...]:
    return list_of(config.entries[key], key) if key in config.entries else ()


def _plain_keys(mapping: LocatedMapping) -> LocatedMapping:
    """`ignore-below` as `ignore_below`: both are accepted, not both at once."""
    entries: dict[str, Located] = {}
    places: dict[str, Location] = {}
    for key, value in mapping.entries.items():
        plain = key.replace("-", "_")
        if plain in entries:
            raise mapping.key_places[key].error(f"{quoted(key)} is {quoted(plain)} again", hint="keep one of the two")
        entries[plain], places[plain] = value, mapping.key_places[key]
    return replace(mapping, entries=entries, key_places=places)


def _check_version(config: LocatedMapping) -> None:
    if "version" in config.entries:
        integer_of(config.entries["version"], "version", least=VERSION, most=VERSION)


def _setting(key: str, value: Located) -> str:
    if key == "warn_only":
        return "true" if flag_of(value, key) else "false"
    if key in _NUMBERS and isinstance(value, LocatedScalar) and isinstance(value.value, int | float):
        return str(value.value)
    return text_of(value, key)


def _model(item: Located) -> ModelEntry:
    entry = _plain_keys(mapping_of(item, "a model"))
    entry.check_keys(("name", *_TARGETS, "inputs", "dims"), of="a model")
    given = [key for key in _TARGETS if key in entry.entries]
    if len(given) != 1:
        hint = "path: model.onnx, factory: 'net.py:build' or spec: net.yaml"
        raise entry.where.error(f"a model needs one of {', '.join(_TARGETS)}", hint=hint)
    target = text_of(entry.entries[given[0]], given[0])
    return ModelEntry(
        name=text_of(entry.entries["name"], "name") if "name" in entry.entries else target,
        target=target,
        is_file=given[0] != "factory" or ".py:" in target,
        inputs=tuple(_inputs(entry.entries["inputs"])) if "inputs" in entry.entries else (),
        dims=tuple(_dims(entry.entries["dims"])) if "dims" in entry.entries else (),
        where=entry.where,
    )


def _inputs(value: Located) -> Iterator[ModelInput]:
    """A shape by each name, or shapes in order; a shape may stand with its element type."""
    if isinstance(value, LocatedMapping):
        yield from (_input(shape, name) for name, shape in value.entries.items())
    else:
        yield from (_input(shape, None) for shape in list_of(value, "inputs"))


def _input(value: Located, name: str | None) -> ModelInput:
    if not isinstance(value, LocatedMapping):
        return ModelInput(name=name, shape=_shape(value))
    value.check_keys(("shape", "dtype"), of="an input")
    dtype = value.entries.get("dtype")
    return ModelInput(
        name=name,
        shape=_shape(value.required("shape", of="an input")),
        dtype=_DTYPES[choice_of(dtype, "dtype", _DTYPES)] if dtype else None,
    )


def _shape(value: Located) -> Shape:
    return tuple(integer_of(size, "a size", least=1, most=_MOST) for size in list_of(value, "a shape"))


def _dims(value: Located) -> Iterator[tuple[str, int]]:
    for name, size in mapping_of(value, "dims").entries.items():
        yield name, integer_of(size, name, least=1, most=_MOST)


def _budgets(item: Located) -> Iterator[Rule]:
    keys = ("model", "message", "level", "increase", "ignore_below")
    entry, terms = _entry(item, keys, of="a budget")
    for metric, value in _metrics(entry, keys):
        limit, warn, place = _thresholds(metric, value, limit_of)
        own = replace(terms, where=value.where, limit_at=place)
        if isinstance(metric, Metric):
            yield Budget(metric=metric, limit=limit, warn=warn, terms=own)
        else:
            yield LatencyBudget(limit=limit, warn=warn, terms=replace(own, level=_level(entry, Level.WARN)))
    growth = entry.entries.get("increase")
    if growth is not None:
        allowed = _plain_keys(mapping_of(growth, "increase"))
        allowed.check_keys(_METRICS, of="increase")
        for metric, value in _metrics(allowed, ()):
            yield _increase(metric, value, entry, terms)
    elif "ignore_below" in entry.entries:
        raise entry.key_places["ignore_below"].error("'ignore_below' belongs to an increase", hint="add increase: …")


def _increase(metric: Quantity, value: Located, entry: LocatedMapping, terms: Terms) -> Increase | LatencyIncrease:
    limit, warn, place = _thresholds(metric, value, growth_of)
    ignored = entry.entries.get("ignore_below")
    below = _at(ignored, lambda given: limit_of(metric, given)) if ignored is not None else 0
    own = replace(terms, where=value.where, limit_at=place)
    if isinstance(metric, Metric):
        return Increase(metric=metric, limit=limit, warn=warn, ignore_below=below, terms=own)
    own = replace(own, level=_level(entry, Level.WARN))
    return LatencyIncrease(limit=limit, warn=warn, ignore_below=below, terms=own)


def _layer_budgets(item: Located) -> Iterator[LayerBudget]:
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
        limit, warn, place = _thresholds(measured, value, limit_of)
        yield LayerBudget(
            metric=measured,
            limit=limit,
            warn=warn,
            match=text_of(match, "match") if match is not None else "*",
            kind=text_of(kind, "kind") if kind is not None else None,
            per=choice_of(per, "per", ("layer", "sum")) if per is not None else "layer",
            terms=replace(terms, where=value.where, limit_at=place),
        )


def _entry(item: Located, keys: tuple[str, ...], *, of: str) -> tuple[LocatedMapping, Terms]:
    entry = _plain_keys(mapping_of(item, of))
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
    metric: Quantity, value: Located, read: Callable[[Quantity, object], _Number]
) -> tuple[_Number | None, _Number | None, Location | None]:
    """The limit, the warning threshold, and where the limit is written."""
    if not isinstance(value, LocatedMapping):
        return _at(value, lambda given: read(metric, given)), None, value.where
    value.check_keys(("max", "warn"), of=metric.name)
    if not value.entries:
        raise value.where.error(
            f"{metric.name} has neither max nor warn", hint=f"write {metric.name}: {example_of(metric.unit)}"
        )
    top, low = (value.entries.get(key) for key in ("max", "warn"))
    limit = _at(top, lambda given: read(metric, given)) if top is not None else None
    warn = _at(low, lambda given: read(metric, given)) if low is not None else None
    return limit, warn, top.where if top is not None else None


_Read = TypeVar("_Read")


def _at(value: Located, read: Callable[[object], _Read]) -> _Read:
    """What a reader of plain values makes of this one; its complaint gets the place."""
    if not isinstance(value, LocatedScalar):
        raise value.where.error(f"a limit is a number with its unit, not {shown(value)}", hint="such as macs: 600M")
    try:
        return read(value.value)
    except UsageError as error:
        hint = error.hint.replace("=", ": ") if error.hint.startswith("write ") else error.hint
        raise value.where.error(error.message, hint=hint) from None
