"""A config's values, wherever they were written, to models, budgets and settings; every complaint has its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from convcost.budgets.budget import Rule
from convcost.budgets.config_budgets import budgets_of, layer_budgets_of, plain_keys
from convcost.dataclasses import dataclass
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

VERSION = 1
_MOST = 2**62
_NUMBERS = {"threads": "4", "max_time": "30", "headroom": "10%"}
"""Settings that are a number, of which their option says the rest, with an example of each."""

_TARGETS = ("path", "factory", "spec")
_DTYPES = {str(dtype.value): dtype for dtype in DType}


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
    config = plain_keys(mapping_of(root, "a config"))
    config.check_keys(_KEYS, of="the config")
    _check_version(config)
    models = tuple(_model(item) for item in _items(config, "models"))
    for at, model in enumerate(models):
        if model.where and model.name in {earlier.name for earlier in models[:at]}:
            raise model.where.error(f"a second model is named {quoted(model.name)}", hint="give each its own name")
    rules = (
        *(rule for item in _items(config, "budgets") for rule in budgets_of(item)),
        *(rule for item in _items(config, "layer_budgets") for rule in layer_budgets_of(item)),
    )
    settings = {
        key: Setting(value=_setting(key, config.entries[key]), where=str(config.key_places[key]))
        for key in SETTINGS
        if key in config.entries
    }
    return Config(file=file, models=models, rules=rules, settings=settings)


def _items(config: LocatedMapping, key: str) -> tuple[Located, ...]:
    return list_of(config.entries[key], key) if key in config.entries else ()


def _check_version(config: LocatedMapping) -> None:
    if "version" in config.entries:
        integer_of(config.entries["version"], "version", least=VERSION, most=VERSION)


def _setting(key: str, value: Located) -> str:
    if key == "warn_only":
        return "true" if flag_of(value, key) else "false"
    if key not in _NUMBERS:
        return text_of(value, key)
    if not isinstance(value, LocatedScalar) or isinstance(value.value, bool | None):
        raise value.where.error(f"{key} must be a number, not {shown(value)}", hint=f"such as {key}: {_NUMBERS[key]}")
    return str(value.value)


def _model(item: Located) -> ModelEntry:
    entry = plain_keys(mapping_of(item, "a model"))
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
