"""A function to a typer command: shared options are a dataclass, spread into the command's parameters."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, get_type_hints

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:  # where newer versions of typer keep the click they are made of
    from typer._click import Command, Context, Parameter


class _AsGiven:
    """Takes a value for what it is."""

    def coerce(self, value: object, param: object, ctx: object) -> object:
        return value


_AS_GIVEN = _AsGiven()


def as_given(parameters: list[Parameter]) -> list[Parameter]:
    """Keeps typer from converting values: ours are flags and text, which the commands read themselves.

    Newer versions of typer load pydantic for it, 80 ms on every start; older ones never look at the attribute.
    """
    for parameter in parameters:
        setattr(parameter, "_runtime_param", _AS_GIVEN)  # noqa: B010 - an attribute of some versions of typer only
    return parameters


class TextCommand(TyperCommand):
    """A command whose values reach the function as they were written."""

    def get_params(self, ctx: Context) -> list[Parameter]:
        return as_given(super().get_params(ctx))


def build_command(name: str, function: Callable[..., int]) -> Command:
    """The one command of a typer application made for it."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(name, cls=TextCommand)(_spread(function))
    return typer.main.get_command(app)


def _spread(command: Callable[..., int]) -> Callable[..., int]:
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
