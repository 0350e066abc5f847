"""House rules that no linter knows."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.architecture.source_tree import MODULES, PACKAGE, ROOT, TESTS, label, nodes, syntax

LONGEST_MODULE = 400
VAGUE = re.compile(r"utils?|helpers?|manager|misc|common", re.IGNORECASE)
# Folders of tests that stand for no package of their own.
BESIDE_THE_PACKAGE = {"architecture", "conformance", "data", "nasty"}
# Dataclasses that are no values, and why.
NO_VALUES = {
    "sources/onnx/lowering/call.py:Call": "a builder: it collects nodes while one operator is lowered",
    "sources/onnx/scope.py:Scope": "a builder: it learns the names of one graph while that is lowered",
    "cli/gating.py": "typer reads an option's default from the class, where slots leave a descriptor",
    "cli/options.py": "typer reads an option's default from the class, where slots leave a descriptor",
}


def lines_matching(pattern: str, paths: tuple[Path, ...]) -> list[str]:
    found = re.compile(pattern)
    return [
        f"{label(path)}:{number}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if found.search(line)
    ]


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {label(module): len(module.read_text(encoding="utf-8").splitlines()) for module in MODULES}
    assert not {name: length for name, length in lengths.items() if length > LONGEST_MODULE}


def test_every_module_says_what_it_is_for() -> None:
    assert not [label(module) for module in MODULES if not ast.get_docstring(syntax(module))]


def test_names_say_what_a_module_is_about() -> None:
    assert not [
        label(module) for module in MODULES if VAGUE.fullmatch(module.stem) or VAGUE.fullmatch(module.parent.name)
    ]


def test_only_the_command_line_prints_and_exits() -> None:
    ends = {"print", "exit", "quit", "sys.exit", "sys.stdout.write", "sys.stderr.write"}
    speaking = [
        f"{label(module)}:{node.lineno}"
        for module, node in nodes()
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ends
        if not label(module).startswith(("cli/", "__main__"))
    ]
    assert not speaking


def test_nothing_is_left_to_do() -> None:
    assert not lines_matching(r"\b(TODO|FIXME|XXX)\b|raise NotImplementedError", MODULES)


def test_user_input_never_meets_an_assert() -> None:
    """A type that an untyped library promises may be stated; nothing else is asserted."""
    asserted = [
        f"{label(module)}:{node.lineno}"
        for module, node in nodes()
        if isinstance(node, ast.Assert) and not ast.unparse(node.test).startswith("isinstance(")
    ]
    assert not asserted


def test_dataclasses_are_frozen_slotted_and_keyword_only() -> None:
    """A value may not change; what a module keeps to itself (`_Name`) may be given by position, or built up."""
    loose = []
    for module, node in nodes():
        if not isinstance(node, ast.ClassDef) or {label(module), f"{label(module)}:{node.name}"} & NO_VALUES.keys():
            continue
        wanted = {"slots"} if node.name.startswith("_") else {"frozen", "slots", "kw_only"}
        loose.extend(
            f"{label(module)}:{node.lineno} {node.name}"
            for decorator in node.decorator_list
            if ast.unparse(decorator).startswith("dataclass") and not wanted <= _flags(decorator)
        )
    assert not loose


def test_dataclasses_are_convcosts_own() -> None:
    """Those of the standard library take 0.4 ms each at import: docs/decisions/0008-dataclasses.md."""
    others = tuple(module for module in MODULES if label(module) != "dataclasses.py")
    assert not lines_matching(r"from dataclasses import .*\bdataclass\b|dataclasses\.dataclass\b", others)


def _flags(decorator: ast.expr) -> set[str | None]:
    return {keyword.arg for keyword in decorator.keywords} if isinstance(decorator, ast.Call) else set()


def test_every_ignore_names_its_rule() -> None:
    assert not lines_matching(r"#\s*type:\s*ignore(?!\[)|#\s*noqa(?!:)", MODULES)


def test_tests_mirror_the_package() -> None:
    folders = {path.parent.relative_to(ROOT / "tests") for path in TESTS}
    places = {folder for folder in folders if folder.parts and folder.parts[0] not in BESIDE_THE_PACKAGE}
    assert not {folder.as_posix() for folder in places if not (PACKAGE / folder).is_dir()}


def test_tests_stand_alone_and_skip_nothing() -> None:
    others = tuple(test for test in TESTS if test != Path(__file__))
    assert not lines_matching(r"\.\./shared|importorskip|mark\.(xfail|skip)|pytest\.skip", others)
