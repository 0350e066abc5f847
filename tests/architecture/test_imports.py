"""The arrows of the house: who may import whom, and where frameworks may be loaded."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source_tree import MODULES, PACKAGE, imported, label, nodes, syntax

# Who may import whom, below `convcost`. Data flows one way: a source gives a graph, an analysis reads it, results
# are judged, compared and measured, and only then shown. `__version__` and `dataclasses` are for all.
ARROWS: dict[str, set[str]] = {
    "errors": set(),
    "units": {"errors"},
    "ranges": {"errors"},
    "processes": {"errors"},
    "located": {"errors"},
    "graph": {"errors"},
    "sources": {"errors", "located", "graph"},
    "analysis": {"errors", "units", "graph"},
    "alternatives": {"errors", "graph", "analysis"},
    "conventions": {"graph", "analysis"},
    "grids": {"errors", "ranges", "graph", "analysis", "alternatives"},
    "weights": {"errors", "located", "graph", "analysis", "alternatives"},
    "latency": {"errors", "units", "located", "processes", "graph", "analysis", "alternatives"},
    "budgets": {"errors", "units", "located", "graph", "analysis", "latency"},
    "reports": {
        *("errors", "units", "graph", "analysis", "alternatives", "grids", "weights", "latency", "budgets", "explain"),
        "conventions",
    },
    "glossary": set(),
    "explain": {"errors", "graph", "analysis", "alternatives", "conventions", "budgets", "glossary"},
    "targets": {"errors", "processes", "ranges", "graph", "sources", "analysis", "conventions", "latency", "weights"},
    "pytest_plugin": {"analysis", "api", "budgets", "errors", "reports"},
    "api": {"errors", "targets", "graph", "sources", "analysis", "alternatives", "weights", "latency", "budgets"},
}
UNBOUND = {"cli", "__init__", "__main__"}
FOR_ALL = {"dataclasses", "__version__", ""}
"""The last is the bare package, which says its version and where it lies."""

HEAVY = {"torch", "torchvision", "timm", "onnx", "onnxruntime", "numpy", "fvcore", "rich", "yaml"}
HEAVY_ALLOWED = ("sources/torch/", "sources/onnx/", "grids/", "latency/", "weights/")


def place(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def on_import(tree: ast.Module) -> Iterator[ast.AST]:
    """What runs when the module is imported: neither function bodies nor blocks for the type checker."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting.extend(node.orelse)
            continue
        waiting.extend(ast.iter_child_nodes(node))


def test_every_place_in_the_house_has_its_arrows() -> None:
    places = {place(module) for module in MODULES}
    assert places - UNBOUND - FOR_ALL == set(ARROWS)


def test_arrows_run_one_way() -> None:
    settled: set[str] = set()
    while ready := {name for name, below in ARROWS.items() if below <= settled} - settled:
        settled |= ready
    assert settled == set(ARROWS), "these import each other in a circle"


def test_imports_follow_the_arrows() -> None:
    crossing = []
    for module, node in nodes():
        here = place(module)
        if here in UNBOUND:
            continue
        for name in imported(node):
            top, _, below = name.partition(".")
            if top == "convcost" and below.split(".")[0] not in {*ARROWS.get(here, set()), here, *FOR_ALL}:
                crossing.append(f"{label(module)} imports {name}")
    assert not crossing


def test_only_the_entry_point_imports_the_command_line() -> None:
    importers = {
        place(module) for module, node in nodes() for name in imported(node) if name.startswith("convcost.cli")
    }
    assert importers <= {"cli", "__main__"}


def test_imports_are_absolute() -> None:
    relative = [label(module) for module, node in nodes() if isinstance(node, ast.ImportFrom) and node.level]
    assert not relative


def test_frameworks_are_loaded_only_where_they_are_met() -> None:
    early = [
        f"{label(module)} imports {name}"
        for module in MODULES
        if not label(module).startswith(HEAVY_ALLOWED)
        for node in on_import(syntax(module))
        for name in imported(node)
        if name.split(".")[0] in HEAVY
    ]
    assert not early


def test_each_framework_stays_out_of_the_others_source() -> None:
    crossing = []
    for framework, other in (("torch", "onnx"), ("onnx", "torch")):
        for module, node in nodes():
            if label(module).startswith(f"sources/{framework}/"):
                names = [name for name in imported(node) if name.split(".")[0] == other or f"sources.{other}" in name]
                crossing.extend(f"{label(module)} imports {name}" for name in names)
    assert not crossing
