"""Ops by name: each is in the table, and can be named without the others."""

from __future__ import annotations

import inspect

import pytest

from convcost.graph import ops
from convcost.graph.ops import ALL_OPS, Op


@pytest.mark.parametrize("name", ops.__all__)
def test_every_public_name_leads_somewhere(name: str) -> None:
    assert getattr(ops, name) is not None


def test_the_table_holds_every_op_once() -> None:
    named = {value for name in ops.__all__ if isinstance(value := getattr(ops, name), type) and issubclass(value, Op)}
    concrete = {op for op in named if not inspect.isabstract(op)}
    assert set(ALL_OPS) == concrete
    assert len(ALL_OPS) == len(concrete)


def test_a_name_that_no_op_has_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Convolution'"):
        getattr(ops, "Convolution")  # noqa: B009 - a name that mypy knows is not there
