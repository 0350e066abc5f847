"""The `alternatives:` of a spec, as asked for: what the names and options mean is not known here."""

from __future__ import annotations

from typing import TypeAlias

from convcost.dataclasses import dataclass
from convcost.located import Located, LocatedList, LocatedMapping, LocatedScalar, Location, list_of, shown, text_of

OptionScalar: TypeAlias = "str | int | float | bool"
OptionValue: TypeAlias = "OptionScalar | tuple[OptionScalar, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedAlternative:
    """One alternative by name with its options in the file's order; a tuple asks for each of its values in turn."""

    name: str
    where: Location
    options: tuple[tuple[str, OptionValue], ...] = ()


def read_alternatives(value: Located) -> tuple[RequestedAlternative, ...]:
    """Names, or mappings with a `name` and options that are scalars or lists of scalars."""
    items = list_of(value, "alternatives")
    if not items:
        raise value.where.error("alternatives is empty", hint="leave the key out to get the built-in set")
    return tuple(_read_alternative(item) for item in items)


def _read_alternative(value: Located) -> RequestedAlternative:
    if not isinstance(value, LocatedMapping):
        return RequestedAlternative(name=text_of(value, "an alternative"), where=value.where)
    name = text_of(value.required("name", of="an alternative"), "name")
    options = tuple((key, _option(item, key)) for key, item in value.entries.items() if key != "name")
    return RequestedAlternative(name=name, where=value.where, options=options)


def _option(value: Located, key: str) -> OptionValue:
    if not isinstance(value, LocatedList):
        return _option_scalar(value, key)
    if not value.items:
        raise value.where.error(f"option {key} is an empty list", hint="name at least one value")
    return tuple(_option_scalar(item, key) for item in value.items)


def _option_scalar(value: Located, key: str) -> OptionScalar:
    if isinstance(value, LocatedScalar) and value.value is not None:
        return value.value
    raise value.where.error(
        f"option {key} must be a scalar or a list of scalars, not {shown(value)}", hint=f"such as {key}: [2, 4]"
    )
