"""What is remembered stays little, whatever a file asks for."""

from __future__ import annotations

from convcost.graph.memory import MOST, Memory


def test_it_remembers_and_forgets_before_it_holds_too_much() -> None:
    memory: Memory[int, str] = Memory()
    for number in range(3 * MOST + 1):
        memory[number] = str(number)
        assert memory.get(number) == str(number)
        assert len(memory) <= MOST


class _Alike:
    """Keys of one hash, as a file's sizes can be: those of the integers `n` and `n + 2**61 - 1`."""

    compared = 0

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        _Alike.compared += 1
        return self is other


def test_keys_of_one_hash_are_compared_in_proportion() -> None:
    memory: Memory[_Alike, int] = Memory()
    for number in range(4 * MOST):
        memory[_Alike()] = number
    assert _Alike.compared <= 4 * MOST * MOST
    assert hash((1, 5)) == hash((2**61, 5))
