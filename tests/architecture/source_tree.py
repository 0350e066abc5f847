"""The package's own source text, read once for the tests of this folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "convcost"
MODULES = tuple(sorted(PACKAGE.rglob("*.py")))
TESTS = tuple(sorted((ROOT / "tests").rglob("*.py")))


def label(path: Path) -> str:
    """`graph/ops/conv.py` for a module, `tests/graph/test_cost.py` for a test."""
    return path.relative_to(PACKAGE if path.is_relative_to(PACKAGE) else ROOT).as_posix()


@cache
def syntax(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def nodes() -> Iterator[tuple[Path, ast.AST]]:
    """Every syntax node of the package with its module."""
    for module in MODULES:
        for node in ast.walk(syntax(module)):
            yield module, node


def imported(node: ast.AST) -> Iterator[str]:
    """The full names that one statement imports."""
    match node:
        case ast.Import(names=names):
            yield from (name.name for name in names)
        case ast.ImportFrom(module=str(module), level=0, names=names):
            yield from (f"{module}.{name.name}" for name in names)
