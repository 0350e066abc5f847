"""What is remembered stays little, whatever a file asks for."""

from __future__ import annotations

from convcost.graph.cache import MOST, BoundedCache


def test_it_remembers_and_forgets_before_it_holds_too_much() -> None:
    cache: BoundedCache[int, str] = BoundedCache()
    for number in range(3 * MOST + 1):
        cache[number] = str(number)
        assert cache.get(number) == str(number)
        assert len(cache) <= MOST


class _Alike:
    """Keys of one hash, as a file's sizes can be: those of the integers `n` and `n + 2**61 - 1`."""

    compared = 0

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        _Alike.compared += 1
        return self is other


def test_keys_of_one_hash_are_compared_in_proportion() -> None:
    cache: BoundedCache[_Alike, int] = BoundedCache()
    for number in range(4 * MOST):
        cache[_Alike()] = number
    assert _Alike.compared <= 4 * MOST * MOST
    assert hash((1, 5)) == hash((2**61, 5))
