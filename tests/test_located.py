"""Located YAML: every value knows its place, and a hostile file stays small."""

from __future__ import annotations

import json
import re
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from convcost.errors import ConvcostError
from convcost.located import (
    Located,
    LocatedList,
    LocatedMapping,
    LocatedScalar,
    integer_of,
    parse_yaml,
    read_yaml,
    text_of,
)


@pytest.fixture(params=["libyaml", "pure Python"], autouse=True)
def _parser(request, monkeypatch):
    if request.param == "pure Python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)


def plain(value: Located) -> object:
    match value:
        case LocatedScalar():
            return value.value
        case LocatedList():
            return [plain(item) for item in value.items]
        case LocatedMapping():
            return {key: plain(item) for key, item in value.entries.items()}


def complaint(text: str) -> ConvcostError:
    with pytest.raises(ConvcostError) as caught:
        parse_yaml(text, file="f.yaml")
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value


def test_lines_and_columns_count_from_one_for_keys_and_values():
    root = parse_yaml("a: 1\nb:\n  - x\n  - {c: 2}\n", file="f.yaml")
    assert isinstance(root, LocatedMapping)
    assert str(root.key_places["b"]) == "f.yaml:2:1"
    b = root.entries["b"]
    assert isinstance(b, LocatedList)
    assert [str(item.where) for item in b.items] == ["f.yaml:3:5", "f.yaml:4:5"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("28", 28),
        ("-3", -3),
        ("010", 10),
        ("3:3", "3:3"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("yes", "yes"),
        ("~", None),
        ("", None),
        ("'28'", "28"),
        ('"true"', "true"),
        ("2024-01-02", "2024-01-02"),
    ],
)
def test_plain_values_follow_yaml_1_2(text, value):
    (item,) = plain(parse_yaml(f"[{text},]" if text else "- ", file="f"))
    assert item == value
    assert type(item) is type(value)


def test_an_alias_is_what_its_anchor_is():
    assert plain(parse_yaml("a: &x [1, 2]\nb: *x\n", file="f")) == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f.yaml:1:1: the file is empty"),
        ("# nothing\n", "f.yaml:1:1: the file is empty"),
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: key 'a' stands here a second time"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document begins"),
        ("a: *x\n", "f.yaml:1:4: alias '*x' has no anchor before it"),
        ("a: &x [*x]\n", "f.yaml:1:8: alias '*x' has no anchor before it"),
        ("a: !!python/object:os.system {}\n", "f.yaml:1:4: tags such as"),
        ("a: !!int 3\n", "f.yaml:1:4: tags such as"),
        ("? [a]\n: 1\n", "f.yaml:1:3: a key must be plain text"),
        ("a: " + "9" * 5000, "f.yaml:1:4: a number of 5000 digits is too large"),
        ("[" * 40, "f.yaml:1:33: nested more than 32 deep"),
        ("- " * 40 + "1", "f.yaml:1:65: nested more than 32 deep"),
        ("a: b\nc: \x07\n", "f.yaml:2:4: character '\\x07' is not allowed in YAML"),
        ("a: b: c\n", "f.yaml:1:5: not valid YAML"),
        ("a: [1, 2\nb: 3\n", "f.yaml:2:2: not valid YAML"),
        ("a:\n\t- 1\n", "f.yaml:2:1: not valid YAML"),
        ('a: "\\UFFFFFFFF"\n', "f.yaml:1:"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_place(text, message):
    assert complaint(text).message.startswith(message)


def test_a_tab_is_named_in_the_hint():
    assert complaint("a:\n\t- 1\n").hint == "indent with spaces, not with tabs"


def test_an_alias_bomb_is_refused_before_it_grows():
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    start = time.process_time()
    assert "more than 100,000 values" in complaint("\n".join(lines)).message
    assert time.process_time() - start < 1


def test_a_file_is_utf_8_with_or_without_a_byte_order_mark(tmp_path):
    path = tmp_path / "f.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: \xc3\xa9\n")
    assert plain(read_yaml(str(path))) == {"a": "é"}
    path.write_bytes(b"\xef\xbb\xbfa: \xe9\n")
    with pytest.raises(ConvcostError, match=re.escape(f"{path}:1:4: not UTF-8 text")):
        read_yaml(str(path))
    path.write_bytes(b"a: 1\nb: \xe9\n")
    with pytest.raises(ConvcostError, match=re.escape(f"{path}:2:4: not UTF-8 text")):
        read_yaml(str(path))


@pytest.mark.parametrize(
    ("name", "message"), [("missing.yaml", "no such file"), (".", "is a directory"), ("a\0b", "cannot be read")]
)
def test_a_path_that_is_no_file_is_one_line(tmp_path, name, message):
    with pytest.raises(ConvcostError, match=message) as caught:
        read_yaml(f"{tmp_path}/{name}")
    assert caught.value.hint


def test_a_file_too_large_to_be_meant_is_not_read(tmp_path):
    path = tmp_path / "f.yaml"
    path.write_bytes(b"#" * (1024 * 1024 + 1))
    with pytest.raises(ConvcostError, match=r"larger than 1,048,576 bytes"):
        read_yaml(str(path))


def test_unknown_keys_come_with_the_nearest_known_one_or_all():
    root = parse_yaml("kernal: 3\n", file="f")
    assert isinstance(root, LocatedMapping)
    with pytest.raises(ConvcostError, match="f:1:1: unknown key 'kernal' in a thing") as caught:
        root.check_keys(("kernel", "stride"), of="a thing")
    assert caught.value.hint == "did you mean 'kernel'?"
    with pytest.raises(ConvcostError) as caught:
        root.check_keys(("width", "stride"), of="a thing")
    assert caught.value.hint == "known keys: width, stride"


@pytest.mark.parametrize("text", ["true", "'3'", "3.0", "[3]", "{a: 3}", "null"])
def test_only_a_plain_integer_is_a_whole_number(text):
    (item,) = parse_yaml(f"[{text}]", file="f").items
    with pytest.raises(ConvcostError, match="f:1:2: n must be a whole number, not"):
        integer_of(item, "n", least=1, most=9)


@pytest.mark.parametrize("text", ["3", "true", "null", "[a]"])
def test_text_that_yaml_reads_as_something_else_must_be_quoted(text):
    (item,) = parse_yaml(f"[{text}]", file="f").items
    with pytest.raises(ConvcostError, match="name must be text") as caught:
        text_of(item, "name")
    assert "quotes" in (caught.value.hint or "")


YAML_PIECES = st.sampled_from([*"[]{}:,-#&*!|>'\"%@`?\n\t \\", "a", "1", "&a ", "*a", "- ", ": ", "\n  ", "<<", "..."])


@given(st.one_of(st.text(), st.lists(YAML_PIECES).map("".join)))
def test_any_text_parses_or_is_refused_in_one_line(text):
    refusal = None
    try:
        parse_yaml(text, file="f")
    except ConvcostError as error:
        refusal = error
    assert refusal is None or (refusal.hint and "\n" not in refusal.message)


# PyYAML's two parsers disagree about control characters and Unicode separators: line breaks, or characters like others.
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")))
SCALARS = st.one_of(st.integers(-(10**17), 10**17), st.booleans(), st.none(), TEXT)


@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20))
def test_what_json_says_yaml_says_too(value):
    assert plain(parse_yaml(json.dumps(value, ensure_ascii=False), file="f")) == value
