"""Results by what they hang on, for work that networks ask for again and again."""

from __future__ import annotations

from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")

MOST = 512
"""Networks repeat fewer kinds. The shapes of a hostile file may all have one hash, for Python does not salt numbers."""


class BoundedCache(dict[K, V]):
    """A dictionary that forgets everything once it holds `MOST` results, so that no look goes through more of them."""

    def __setitem__(self, key: K, value: V) -> None:
        if len(self) >= MOST:
            self.clear()
        super().__setitem__(key, value)
