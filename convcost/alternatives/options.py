"""From what a user wrote (`grouped[groups=4]`, a YAML mapping) to alternatives with checked options."""

from __future__ import annotations

import dataclasses
import difflib
import itertools
import math
import re
import types
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from convcost.alternatives.base import Alternative
from convcost.errors import UsageError

OptionValue: TypeAlias = int | str
_ITEM = re.compile(r"\s*(?P<name>[\w-]+)\s*(\[(?P<options>[^\[\]]*)\])?\s*(,|$)")
MAX_OPTION = 2**31
MAX_DIGITS = 20
MOST_ALTERNATIVES = 256
"""Of one layer, in all: each is counted and shown for every layer."""
MAX_SHOWN = 60
_SWITCH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def parse_alternatives(text: str, table: Mapping[str, type[Alternative]]) -> tuple[Alternative, ...]:
    """Reads `a,b[key=value,key=value]`; a key given twice makes one alternative of each value.

    Raises `UsageError` for a name or option that the table does not have.
    """
    found: list[Alternative] = []
    position = 0
    while position < len(text) or not found:
        item = _ITEM.match(text, position)
        if item is None or not item["name"]:
            raise UsageError(
                f"cannot read alternatives '{_shown(text)}' at '{_shown(text[position:])}'",
                hint="write a,b[option=value]",
            )
        found.extend(build_alternatives(item["name"], _read_options(item["options"] or ""), table))
        refuse_too_many(found)
        position = item.end()
    return tuple(found)


def refuse_too_many(found: Sequence[Alternative]) -> None:
    """Raises `UsageError` before a list of alternatives grows past `MOST_ALTERNATIVES`."""
    if len(found) > MOST_ALTERNATIVES:
        raise UsageError(
            f"more than {MOST_ALTERNATIVES} alternatives are asked for", hint="compare fewer of them at a time"
        )


def build_alternatives(
    name: str, options: Mapping[str, Sequence[object]], table: Mapping[str, type[Alternative]]
) -> tuple[Alternative, ...]:
    """The alternative of that name once for every combination of the options' values."""
    family = table.get(name)
    if family is None:
        raise UsageError(f"unknown alternative '{_shown(name)}'", hint=_suggest(name, list(table)))
    hints = {key: hint for key, hint in get_type_hints(family).items() if key in _field_names(family)}
    for key in options:
        if key not in hints:
            known = _suggest(key, list(hints)) if hints else "it takes none"
            raise UsageError(f"alternative '{name}' has no option '{_shown(key)}'", hint=known)
    asked = math.prod(map(len, options.values()))
    if asked > MOST_ALTERNATIVES:
        raise UsageError(
            f"alternative '{name}' with {asked:,} combinations of options", hint=f"{MOST_ALTERNATIVES} are the most"
        )
    checked = {key: [_check(name, key, value, hints[key]) for value in values] for key, values in options.items()}
    return tuple(family(**dict(zip(checked, values, strict=True))) for values in itertools.product(*checked.values()))


def _read_options(text: str) -> dict[str, list[OptionValue]]:
    options: dict[str, list[OptionValue]] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not equals:
            raise UsageError(f"an option is written key=value, not '{_shown(pair)}'", hint="such as grouped[groups=4]")
        options.setdefault(key, []).append(_read_value(value))
    return options


def _read_value(text: str) -> OptionValue:
    """A whole number where it is one; one of absurd length stays text, which no option accepts."""
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
    return int(text) if is_number else text


def _check(name: str, key: str, value: object, hint: object) -> OptionValue:
    members = _union_members(hint)
    choices = [choice for part in members for choice in _literals(part)]
    if bool in members and str(value).lower() in _SWITCH:
        return _SWITCH[str(value).lower()]
    if isinstance(value, str) and value in choices:
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        within = 1 <= value <= MAX_OPTION
        if value in choices or (int in members and within):
            return value
    raise UsageError(
        f"{name}: {key} is {_allowed(members, choices)}, not '{_shown(value)}'",
        hint=f"convcost explain {name} says what its options mean",
    )


def _allowed(members: Sequence[object], choices: Sequence[object]) -> str:
    """What an option takes, in words."""
    words = []
    if int in members:
        words.append(f"a whole number from 1 to {MAX_OPTION}")
    if bool in members:
        words.append("true or false")
    if choices:
        words.append("one of " * (len(choices) > 1) + ", ".join(map(str, choices)))
    return " or ".join(words)


def _union_members(hint: object) -> tuple[object, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _literals(hint: object) -> tuple[object, ...]:
    return get_args(hint) if get_origin(hint) is Literal else ()


def _field_names(family: type[Alternative]) -> set[str]:
    # Every concrete alternative is a dataclass; an abstract base cannot say so to the type checker.
    return {field.name for field in dataclasses.fields(family)}  # type: ignore[arg-type]


def _shown(value: object) -> str:
    """What the user wrote, on one line and no longer than one can read."""
    text = "".join(character if character.isprintable() else "�" for character in str(value))
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _suggest(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(known)}"
