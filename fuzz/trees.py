"""Changes to JSON-like trees: JSON itself, and YAML, of which JSON is a part."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import TypeAlias

Tree: TypeAlias = "bool | int | float | str | list[Tree] | dict[str, Tree] | None"
Place: TypeAlias = "tuple[list[Tree] | dict[str, Tree], int | str]"

_ODD: tuple[Tree, ...] = (
    None, True, False, 0, -1, 1, 2, 3, 255, 2**31, 2**62, 2**63 - 1, 2**64, 10**18, 10**400, 0.5,
    float("nan"), float("inf"), "", "0", "same", "valid", "*", "../x", "a\0b", "\x1b[31m", "\u202e", "\ud800",
    "=1+1", "::error::",
    [], {}, [[]], [0], [1, 2], [-1], [3, 3], [[1, 1], [0, 2]],
)  # fmt: skip


def changed(tree: Tree, chance: random.Random) -> Tree:
    """The tree with one to four of its values gone, doubled, swapped, or another."""
    root: Tree = [copy.deepcopy(tree)]
    for _ in range(chance.randint(1, 4)):
        if not (places := list(_places(root))[1:] or list(_places(root))):
            break
        holder, key = chance.choice(places)
        _CHANGES[chance.randrange(len(_CHANGES))](holder, key, places, chance)
    return root[0] if isinstance(root, list) and root else None


def changed_json(data: bytes, chance: random.Random) -> bytes:
    """The same for a document; what is not one stays as it is. Lone surrogates survive as escapes."""
    try:
        tree: Tree = json.loads(data)
        return json.dumps(changed(tree, chance)).encode()
    except (ValueError, RecursionError):
        return data


def _places(tree: Tree) -> list[Place]:
    found: list[Place] = []
    left = [tree]
    while left:
        node = left.pop()
        keys = range(len(node)) if isinstance(node, list) else list(node) if isinstance(node, dict) else ()
        for key in keys:
            found.append((node, key))  # type: ignore[arg-type]  # only lists and dicts have keys
            left.append(node[key])  # type: ignore[index,call-overload]
    return found


def _replace(holder, key, places, chance):  # type: ignore[no-untyped-def]
    holder[key] = copy.deepcopy(chance.choice(_ODD))


def _take_another(holder, key, places, chance):  # type: ignore[no-untyped-def]
    other, at = chance.choice(places)
    holder[key] = copy.deepcopy(other[at])


def _remove(holder, key, places, chance):  # type: ignore[no-untyped-def]
    holder.pop(key)


def _double(holder, key, places, chance):  # type: ignore[no-untyped-def]
    if isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    else:
        holder[chance.choice(["", "name", "repeat", "0", key.replace("_", "-")])] = copy.deepcopy(holder[key])


def _nudge(holder, key, places, chance):  # type: ignore[no-untyped-def]
    value = holder[key]
    if isinstance(value, int) and not isinstance(value, bool):
        holder[key] = chance.choice([value + 1, value - 1, value * 2, -value, value << 40])
    elif isinstance(value, str):
        at = chance.randint(0, len(value))
        holder[key] = (
            value[:at] + chance.choice(["", "a", "\x00", "\n", "[", "é", "\u2028", "1" * 30]) + value[at + 1 :]
        )
    else:
        holder[key] = [value]


_CHANGES: tuple[Callable[..., None], ...] = (_replace, _replace, _take_another, _remove, _double, _nudge, _nudge)
