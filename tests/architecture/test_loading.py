"""What a command loads: frameworks only where the target is one of theirs."""

from __future__ import annotations

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


def test_the_report_sees_what_is_loaded() -> None:
    assert loaded_by("import numpy", FRAMEWORKS) == {"numpy"}
