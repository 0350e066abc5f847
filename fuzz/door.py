"""What a fuzzed entry point is: a check of any bytes, seeds to start from, and a way to change them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """`check` returns for input that was read or refused, and raises for anything that must not happen.

    `change` makes a neighbour that is still well formed, for formats that blind changes rarely get into; `words` are
    what blind changes may insert.
    """

    check: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    change: Callable[[bytes, random.Random], bytes] | None = None
    words: tuple[str, ...] = ()
