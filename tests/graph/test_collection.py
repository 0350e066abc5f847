"""Garbage collection is left as it was found."""

from __future__ import annotations

import gc

import pytest

from convcost.graph.collection import uncollected


@pytest.mark.parametrize("enabled", [True, False])
def test_collection_is_off_inside_and_as_before_after_an_error(enabled: bool) -> None:
    before = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(ZeroDivisionError), uncollected():
            1 / gc.isenabled()
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if before else gc.disable)()


def test_what_was_made_meanwhile_is_old_afterwards() -> None:
    with uncollected():
        made: list[object] = []
    assert any(each is made for each in gc.get_objects(generation=2))


def test_what_the_program_froze_stays_frozen() -> None:
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        with uncollected():
            pass
        assert gc.get_freeze_count() == frozen
    finally:
        gc.unfreeze()
