"""The one table from operator names to lowering functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from convcost.sources.torch.call import Lowering

LOWERINGS: dict[str, Lowering] = {}

_Function = TypeVar("_Function", bound=Lowering)


def aten(words: str) -> tuple[str, ...]:
    """The operator names of a list of aten functions.

    >>> aten("cat stack")
    ('aten.cat', 'aten.stack')
    """
    return tuple(f"aten.{word}" for word in words.split())


def prims(words: str) -> tuple[str, ...]:
    """The same of the primitives that torch writes operators in, as in programs that were decomposed to the end.

    >>> prims("rev iota")
    ('prims.rev', 'prims.iota')
    """
    return tuple(f"prims.{word}" for word in words.split())


def lowers(*names: str) -> Callable[[_Function], _Function]:
    """Registers a lowering for operators such as `aten.conv2d`, their in-place forms included.

    Raises `ValueError` for a name that is already taken.
    """

    def register(lowering: _Function) -> _Function:
        for name in names:
            if name in LOWERINGS:
                raise ValueError(f"'{name}' is lowered twice")
            LOWERINGS[name] = lowering
        return lowering

    return register
