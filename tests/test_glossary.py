"""Whatever a user can see in a report can be explained: fields of JSON, titles of columns, letters, kinds."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from convcost.alternatives import ALTERNATIVES
from convcost.alternatives.symbols import LETTERS
from convcost.errors import UsageError
from convcost.explain import explain
from convcost.glossary import GLOSSARY

ROOT = Path(__file__).parents[1]
SHOWN = {"Column": ("key", "title"), "Fact": ("label",)}
"""Which arguments of which calls put words before a reader."""


def properties(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        named = schema.get("properties")
        yield from named if isinstance(named, dict) else ()
    below = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    yield from chain.from_iterable(map(properties, below))


def words_of_tables(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            for keyword in node.keywords:
                if keyword.arg in SHOWN.get(node.func.id, ()) and isinstance(keyword.value, ast.Constant):
                    yield str(keyword.value.value).replace("\n", " ").strip()
        if isinstance(node, ast.Assign) and "KEYS" in ast.unparse(node.targets[0]):
            yield from (str(each.value) for each in ast.walk(node.value) if isinstance(each, ast.Constant))


def unexplained(names: set[str]) -> list[str]:
    def is_unknown(name: str) -> bool:
        try:
            return not explain(name)
        except UsageError:
            return True

    return sorted(filter(is_unknown, names))


@pytest.mark.parametrize("schema", sorted((ROOT / "docs" / "schema").glob("*.json")), ids=lambda path: path.stem)
def test_every_field_of_a_schema_can_be_explained(schema: Path) -> None:
    names = set(properties(json.loads(schema.read_text(encoding="utf-8"))))
    assert names
    assert unexplained(names) == []


def test_every_column_and_line_of_a_report_can_be_explained() -> None:
    sources = (ROOT / "convcost" / "reports").glob("*.py")
    words = {word for path in sources for word in words_of_tables(path.read_text(encoding="utf-8"))}
    assert {"Peak activation", "median_ms", "vs std", "Coverage"} <= words
    assert unexplained(words - {""}) == []


def test_every_alternative_is_explained_by_the_name_tables_give_it() -> None:
    for name in ("spatial-factorised R=128", "grouped g=4", "stacked 2× 3×3 R=32", "winograd F(2,3)"):
        assert [each.category for each in explain(name)] == ["alternative"]


def test_every_letter_of_a_formula_can_be_explained() -> None:
    formulas = " ".join(each.formula for name in ALTERNATIVES for each in explain(name))
    letters = set(re.findall(r"[A-Za-z]\w*", formulas))
    assert letters <= set(chain.from_iterable(LETTERS))
    assert unexplained(letters) == []


def test_no_name_has_two_meanings_in_the_glossary() -> None:
    names = [name.lower().replace(" ", "_") for names in GLOSSARY for name in names]
    assert sorted(names) == sorted(set(names))


def test_options_without_a_default_are_not_said_to_have_one() -> None:
    assert not any("None" in each.summary for name in ALTERNATIVES for each in explain(name))
