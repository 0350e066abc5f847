"""What `make fuzz` runs for minutes, for a moment: neighbours of good inputs and bytes of any kind, at every door."""

from __future__ import annotations

import importlib
import itertools
import random
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz import DOORS
from fuzz.door import Door
from fuzz.messages import changed_message
from fuzz.onnx_files import own_models

SEEDS = 12


@cache
def door(name: str) -> Door:
    found: Door = importlib.import_module(DOORS[name]).DOOR
    return found


@cache
def seeds(name: str) -> tuple[bytes, ...]:
    """A few: ONNX's own hundreds take seconds to make."""
    return tuple(own_models() if name == "onnx" else itertools.islice(door(name).seeds(), SEEDS))


@pytest.mark.parametrize("name", DOORS)
def test_every_seed_is_let_through(name: str) -> None:
    for seed in seeds(name):
        door(name).check(seed)


@pytest.mark.parametrize("name", DOORS)
@settings(max_examples=100)
@given(chance=st.randoms(use_true_random=False))
def test_neighbours_of_good_input_do_no_harm(name: str, chance: random.Random) -> None:
    seed = chance.choice(seeds(name))
    change = door(name).change
    door(name).check(change(seed, chance) if change else _spliced(seed, chance, door(name).words))


@pytest.mark.parametrize("name", DOORS)
@settings(max_examples=100)
@given(data=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode())))
def test_bytes_of_any_kind_do_no_harm(name: str, data: bytes) -> None:
    door(name).check(data)


def test_a_changed_model_is_still_a_model() -> None:
    from onnx import ModelProto

    for seed in seeds("onnx"):
        for at in range(50):
            changed = changed_message(ModelProto(), seed, random.Random(at))
            ModelProto().ParseFromString(changed)


def _spliced(seed: bytes, chance: random.Random, words: tuple[str, ...]) -> bytes:
    """The seed with a part of it gone and a word of the grammar in its place."""
    start, stop = sorted(chance.randrange(len(seed) + 1) for _ in range(2))
    return seed[:start] + chance.choice([*words, ""]).encode() + seed[stop:]
