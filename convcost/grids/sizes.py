"""A size that differs from layer to layer, fed to the code that was written for one layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, cast

import numpy as np
import numpy.typing as npt

from convcost.errors import UsageError

Values: TypeAlias = npt.NDArray[np.int64]
Labels: TypeAlias = npt.NDArray[np.int64] | npt.NDArray[np.bool_]
_LARGEST = 2**63 - 1


class DisagreementError(Exception):
    """A question that not all layers answer alike: `labels` is equal where the answer is."""

    def __init__(self, labels: Labels) -> None:
        super().__init__("layers take different ways from here")
        self.labels = labels


class Sizes:
    """Stands where a size is expected, and is one per layer of a block: the axes broadcast against each other.

    Arithmetic is exact: `bound` is the largest magnitude in the whole grid, and `UsageError` is raised where that could
    pass 64 bits. Where a branch, a set or a range needs one plain answer and layers differ, `DisagreementError` is
    raised. In texts an axis of the grid stands by its `symbol`, what is computed from one by an ellipsis.
    """

    __slots__ = ("bound", "symbol", "values")

    def __init__(self, values: Values, bound: int, symbol: str = "…") -> None:
        self.values = values
        self.bound = _checked(bound)
        self.symbol = symbol

    @property
    def as_size(self) -> int:
        """The same object for code that asks for an int, which cannot be told that any number-like value will do."""
        return cast("int", self)

    def __add__(self, other: int | Sizes) -> Sizes:
        return _combined(np.add, self, other, lambda a, b: a + b)

    def __radd__(self, other: int | Sizes) -> Sizes:
        return _combined(np.add, other, self, lambda a, b: a + b)

    def __sub__(self, other: int | Sizes) -> Sizes:
        return _combined(np.subtract, self, other, lambda a, b: a + b)

    def __rsub__(self, other: int | Sizes) -> Sizes:
        return _combined(np.subtract, other, self, lambda a, b: a + b)

    def __mul__(self, other: int | Sizes) -> Sizes:
        return _combined(np.multiply, self, other, lambda a, b: a * b)

    def __rmul__(self, other: int | Sizes) -> Sizes:
        if not isinstance(other, int):
            return NotImplemented  # a list is repeated, by __index__
        return _combined(np.multiply, other, self, lambda a, b: a * b)

    # A quotient by a whole number is no further from zero than its dividend, rounded down or not.
    def __floordiv__(self, other: int | Sizes) -> Sizes:
        return _combined(np.floor_divide, self, other, lambda a, _: a)

    def __rfloordiv__(self, other: int | Sizes) -> Sizes:
        return _combined(np.floor_divide, other, self, lambda a, _: a)

    def __mod__(self, other: int | Sizes) -> Sizes:
        return _combined(np.remainder, self, other, lambda _, b: b)

    def __rmod__(self, other: int | Sizes) -> Sizes:
        return _combined(np.remainder, other, self, lambda _, b: b)

    def __rlshift__(self, other: int | Sizes) -> Sizes:
        return _combined(np.left_shift, other, self, lambda a, b: a << b)

    def __neg__(self) -> Sizes:
        return Sizes(-self.values, self.bound)

    def bit_length(self) -> Sizes:
        """As an int's: every power of two that the magnitude reaches adds a bit."""
        bits = _largest(self).bit_length()
        reached = np.zeros_like(self.values)
        for bit in range(bits):
            reached += np.abs(self.values) >= 1 << bit
        return Sizes(reached, bits)

    def __lt__(self, other: object) -> bool:
        return _agreed(self.values < _operand(other))

    def __le__(self, other: object) -> bool:
        return _agreed(self.values <= _operand(other))

    def __gt__(self, other: object) -> bool:
        return _agreed(self.values > _operand(other))

    def __ge__(self, other: object) -> bool:
        return _agreed(self.values >= _operand(other))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sizes | int) and _agreed(self.values == _operand(other))

    def __bool__(self) -> bool:
        return _agreed(self.values != 0)

    def __hash__(self) -> int:
        return hash(self.__index__())

    def __index__(self) -> int:
        first = int(self.values.flat[0])
        if (self.values != first).any():
            raise DisagreementError(self.values)
        return first

    def __str__(self) -> str:
        return self.symbol


def values_of(count: object) -> Values:
    """What a computation gave: one value per layer, or the one value that all have."""
    return _operand(count)


def _operand(value: object) -> Values:
    if isinstance(value, Sizes):
        return value.values
    if isinstance(value, int):
        _checked(abs(value))
        return np.asarray(value, dtype=np.int64)
    raise TypeError(f"a size is combined with sizes, not with {type(value).__name__}")


def _combined(operation: np.ufunc, left: object, right: object, bound: Callable[[int, int], int]) -> Sizes:
    largest = bound(_bound(left), _bound(right))
    if largest > _LARGEST:  # which quotients make look closer than it is
        largest = bound(_largest(left), _largest(right))
    return Sizes(operation(_operand(left), _operand(right)), largest)


def _largest(value: object) -> int:
    return int(np.abs(_operand(value)).max())


def _checked(bound: int) -> int:
    if bound > _LARGEST:
        raise UsageError(
            "the grid's largest counts take more than 64 bits", hint="end the ranges at sizes that layers have"
        )
    return bound


def _bound(value: object) -> int:
    return value.bound if isinstance(value, Sizes) else abs(int(_operand(value)))


def _agreed(answers: npt.NDArray[np.bool_]) -> bool:
    if answers.all():
        return True
    if answers.any():
        raise DisagreementError(answers)
    return False
