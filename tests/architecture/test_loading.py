"""What a command loads: frameworks only where the target is one of theirs."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FRAMEWORKS = ("torch", "torchvision", "timm", "onnx", "onnxruntime", "numpy", "fvcore")

REPORT = """
import sys
{run}
print("loaded:", *(name for name in {names!r} if name in sys.modules), file=sys.stderr)
"""
RUN_COMMAND = """
from convcost.cli import main
assert main({arguments!r}) == 0
"""


def loaded_by(run: str, names: tuple[str, ...]) -> set[str]:
    program = REPORT.format(run=run, names=names)
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return set(ended.stderr.rpartition("loaded:")[2].split())


def loaded_by_command(*arguments: str, names: tuple[str, ...] = FRAMEWORKS) -> set[str]:
    return loaded_by(RUN_COMMAND.format(arguments=arguments), names)


def test_importing_convcost_loads_no_framework() -> None:
    assert loaded_by("import convcost", (*FRAMEWORKS, "yaml", "rich", "typer")) == set()


def test_naming_the_whole_public_interface_loads_no_framework() -> None:
    run = "import convcost\nfor name in convcost.__all__: getattr(convcost, name)"
    assert loaded_by(run, FRAMEWORKS) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        ("analyze", "--help"),
        ("compare", "--spec", "sample_configs/layer.yaml"),
        ("compare", "--spec", "sample_configs/layer.yaml", "--format", "json"),
        ("analyze", "sample_configs/layer.yaml"),
        ("check", "sample_configs/layer.yaml", "--max", "macs=1G"),
    ],
    ids=" ".join,
)
def test_what_needs_no_framework_loads_none(arguments: tuple[str, ...]) -> None:
    assert loaded_by_command(*arguments) == set()


def test_analyzing_an_onnx_file_loads_onnx_alone() -> None:
    network = "sample_configs/onnx/mobilenet_v2.onnx"
    # onnx itself loads numpy.
    assert loaded_by_command("analyze", network) == {"onnx", "numpy"}


# Parts of convcost, and what they load, that reading one ONNX file and showing it has no use for.
ELSEWHERE = (
    "convcost.alternatives", "convcost.analysis.saved", "convcost.analysis.sweep", "convcost.api", "convcost.budgets",
    "convcost.cli.many", "convcost.cli.whole_files", "convcost.conventions", "convcost.explain", "convcost.latency",
    "convcost.reports.jsontext", "convcost.reports.roofline", "convcost.reports.spreadsheet", "convcost.sources.spec",
    "convcost.sources.torch", "convcost.targets.git", "convcost.targets.journal", "convcost.targets.saved",
    "convcost.weights", "multiprocessing", "rich", "yaml",
)  # fmt: skip


def test_analyzing_one_file_loads_no_part_that_only_other_uses_need() -> None:
    assert all(importlib.util.find_spec(name) for name in ELSEWHERE)
    assert loaded_by_command("analyze", "sample_configs/onnx/mobilenet_v2.onnx", names=ELSEWHERE) == set()


def test_the_report_sees_what_is_loaded() -> None:
    assert loaded_by("import numpy", FRAMEWORKS) == {"numpy"}
