"""The table of families: all there by name, most of them not loaded until they are named."""

from __future__ import annotations

import subprocess
import sys

import pytest

import convcost.alternatives
from convcost.alternatives import ALTERNATIVES, Alternative

LISTS_MODULES = "import sys; print(*(name for name in sys.modules if name.startswith('convcost.alternatives.')))"


def loaded_after(program: str) -> set[str]:
    ended = subprocess.run(
        [sys.executable, "-c", f"{program}; {LISTS_MODULES}"], capture_output=True, text=True, check=True
    )
    return {name.rpartition(".")[2] for name in ended.stdout.split()}


def test_every_family_goes_by_its_own_name() -> None:
    assert {name: family.name for name, family in ALTERNATIVES.items()} == {name: name for name in ALTERNATIVES}
    assert all(issubclass(family, Alternative) for family in ALTERNATIVES.values())


def test_the_package_has_every_name_it_lists_and_no_other() -> None:
    assert all(hasattr(convcost.alternatives, name) for name in convcost.alternatives.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = convcost.alternatives.Nothing


def test_only_the_built_in_set_is_loaded_until_others_are_named() -> None:
    others = {"bottleneck", "channel_lowrank", "cp", "fft", "gsvd", "parallel", "stacked", "tucker2", "winograd"}
    assert not loaded_after("import convcost.alternatives") & others
    named = "from convcost.alternatives import parse_alternatives; parse_alternatives('tucker2')"
    assert loaded_after(named) & others == {"tucker2"}
