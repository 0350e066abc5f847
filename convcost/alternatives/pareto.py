"""Which of several options nothing else beats."""

from __future__ import annotations

from collections.abc import Sequence


def undominated(points: Sequence[tuple[int, ...]]) -> tuple[bool, ...]:
    """For every point, whether no other is as low in every coordinate and lower in one; equal points stay together.

    >>> undominated([(9, 9), (6, 10), (9, 10), (6, 10)])
    (True, True, False, True)
    """
    return tuple(not any(_dominates(other, point) for other in points) for point in points)


def _dominates(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))
