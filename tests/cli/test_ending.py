"""How the installed command ends: at once, and with nothing lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYER = str(ROOT / "sample_configs" / "layer.yaml")
# What is freed last says so, unless the process has ended before.
PROGRAM = """
import atexit, sys

class Freed:
    def __del__(self, write=sys.stderr.write):
        write("freed ")

kept = Freed()
atexit.register(sys.stderr.write, "exit function ")
{before}
from convcost.cli import main
sys.exit(main())
"""


def ended(*arguments: str, before: str = "", **how: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM.format(before=before), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""}
    return subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, check=False, **how)


@pytest.mark.parametrize(("arguments", "code"), [(("analyze", LAYER), 0), (("check", LAYER, "--max", "macs=1"), 1)])
def test_exit_functions_run_and_nothing_is_freed(arguments: tuple[str, ...], code: int, tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as out:
        process = ended(*arguments, stdout=out)
    assert (process.returncode, process.stderr) == (code, "exit function ")
    assert "Coverage" in (tmp_path / "out").read_text()


def test_where_a_models_code_may_have_run_python_ends_as_it_does() -> None:
    process = ended("analyze", LAYER, before="sys.modules['torch'] = sys", stdout=subprocess.PIPE)
    assert (process.returncode, process.stderr) == (0, "exit function freed ")


def test_output_that_cannot_be_written_is_left_for_python_to_tell(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        process = ended("analyze", LAYER, "-o", str(tmp_path / "out"), stdout=full, before="sys.stdout.write('held')")
    assert process.returncode > 0
    assert "No space left on device" in process.stderr
    assert "Traceback" not in process.stderr


def test_run_as_a_module_the_program_ends_as_python_does() -> None:
    command = [sys.executable, "-m", "cProfile", "-m", "convcost", "analyze", LAYER]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "function calls" in process.stdout
