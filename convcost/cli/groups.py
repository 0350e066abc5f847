"""Options that several commands share: a dataclass of them, spread into each command's parameters."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import get_type_hints


def with_options(command: Callable[..., int]) -> Callable[..., int]:
    """A command for typer in which every parameter that is a dataclass stands as the dataclass's fields.

    The fields are annotated like typer parameters, and need defaults.
    """
    hints = get_type_hints(command, include_extras=True)
    groups = {name: hint for name, hint in hints.items() if dataclasses.is_dataclass(hint) and isinstance(hint, type)}

    @functools.wraps(command)
    def spread(**values: object) -> int:
        gathered = {name: _gather(group, values) for name, group in groups.items()}
        return command(**values, **gathered)

    parameters = [
        parameter
        for name, own in inspect.signature(command).parameters.items()
        for parameter in (_fields(groups[name]) if name in groups else [own.replace(annotation=hints[name])])
    ]
    keyword_only = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    spread.__signature__ = inspect.Signature(keyword_only, return_annotation=int)  # type: ignore[attr-defined] # read by typer
    spread.__annotations__ = {parameter.name: parameter.annotation for parameter in keyword_only}
    del spread.__wrapped__  # typer would read the hints of the original through it
    return spread


def _fields(group: type) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default if field.default is not dataclasses.MISSING else _made(field),
            annotation=hints[field.name],
        )
        for field in dataclasses.fields(group)
    ]


def _made(field: dataclasses.Field[object]) -> object:
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else inspect.Parameter.empty


def _gather(group: type, values: Mapping[str, object]) -> object:
    """Takes the group's fields out of `values` and makes the dataclass of them."""
    taken = {field.name: values.pop(field.name) for field in dataclasses.fields(group)}  # type: ignore[attr-defined]
    return group(**taken)
