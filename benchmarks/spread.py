"""A measured ratio with its quartiles, so that a figure the machine spoilt shows that it is one."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import NamedTuple


class Spread(NamedTuple):
    """The quartiles of ratios taken round by round."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, ours: Iterable[float], theirs: Iterable[float]) -> Spread:
        """The ratio within each round, whose two sides share whatever else the machine was doing."""
        return cls(*statistics.quantiles([a / b for a, b in zip(ours, theirs, strict=True)], n=4))

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}–{self.high:.2f})"
