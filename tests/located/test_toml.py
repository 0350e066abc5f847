"""Places in TOML, which tomllib forgets."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.located import Located, LocatedError, LocatedList, LocatedMapping, LocatedScalar
from convcost.located.toml import parse_toml

TEXT = '''# [tool.convcost]
[project]
name = "a # b"   # c
text = """
[tool.convcost]
macs = 1
"""

[tool.convcost]
baseline = 'b.json'
models = [  # one a line
  {name = "net", path = "net.onnx", inputs = {x = [1, 3,
    224, 224]}},

  {"name" = "two", dims.batch = 1},
]

[[tool.convcost.budgets]]
macs = "320M"
[[ tool . convcost . "budgets" ]]
macs = 320_000_000
[tool.convcost.budgets.increase]
macs = "+5%"
[other]
macs = 2
'''


def scalars(value: Located) -> Iterator[LocatedScalar]:
    match value:
        case LocatedMapping():
            for item in value.entries.values():
                yield from scalars(item)
        case LocatedList():
            for item in value.items:
                yield from scalars(item)
        case LocatedScalar():
            yield value


def plain(value: Located) -> object:
    match value:
        case LocatedMapping():
            return {key: plain(item) for key, item in value.entries.items()}
        case LocatedList():
            return [plain(item) for item in value.items]
        case LocatedScalar():
            return value.value


def test_values_are_tomllibs_own() -> None:
    value = parse_toml(TEXT, file="p", table=("tool", "convcost"))
    assert value is not None
    assert plain(value) == tomllib.loads(TEXT)["tool"]["convcost"]


def test_every_value_is_where_its_place_says() -> None:
    value = parse_toml(TEXT, file="p", table=("tool", "convcost"))
    assert value is not None
    lines = TEXT.split("\n")
    found = [(each.value, lines[each.where.line - 1][each.where.column - 1 :]) for each in scalars(value)]
    assert len(found) == 12
    for content, there in found:
        assert there.replace("_", "").startswith((str(content), f'"{content}"', f"'{content}'"))


def test_a_file_without_the_table_has_no_value() -> None:
    assert parse_toml("[tool.other]\nx = 1\n", file="p", table=("tool", "convcost")) is None


@pytest.mark.parametrize(
    ("text", "place"), [("a = 1\nb = = 2\n", "p:2:5: not valid TOML"), ("a = 1979-05-27\n", "p:1:5: dates and times")]
)
def test_what_cannot_be_meant_has_its_place(text: str, place: str) -> None:
    with pytest.raises(LocatedError) as caught:
        parse_toml(text, file="p", table=())
    assert caught.value.message.startswith(place)


NUMBER = st.integers(0, 10**9).map(lambda number: (str(number), number))
WORD = st.text("abc#=[]{},. '", max_size=6).map(lambda text: (f'"{text}"', text))
SPACE = st.sampled_from(["", " ", "\n", " # note ]\n", "\n\n  "])


@st.composite
def arrays(draw: st.DrawFn, inner: st.SearchStrategy[tuple[str, object]]) -> tuple[str, object]:
    parts = draw(st.lists(inner, max_size=3))
    text = "".join(f"{draw(SPACE)}{written},{draw(SPACE)}" for written, _ in parts)
    return f"[{text}]", [value for _, value in parts]


@given(st.recursive(st.one_of(NUMBER, WORD), arrays, max_leaves=8), st.sampled_from(["k", '"a b"', "x.y", "'c.d'"]))
def test_any_nesting_is_found_where_it_stands(written: tuple[str, object], key: str) -> None:
    text = f"[t]\n{key} = {written[0]}\n"
    value = parse_toml(text, file="p", table=())
    assert value is not None
    assert plain(value) == tomllib.loads(text)
    lines = text.split("\n")
    for each in scalars(value):
        there = lines[each.where.line - 1][each.where.column - 1 :]
        assert there.startswith((str(each.value), f'"{each.value}"'))
