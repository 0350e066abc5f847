"""How the command ends: as any Python program does, so that whoever started it has the last word."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYER = str(ROOT / "sample_configs" / "layer.yaml")
# What installers write for an entry point.
SCRIPT = "import sys\nfrom convcost.__main__ import main\nif __name__ == '__main__':\n    sys.exit(main())\n"


@pytest.mark.parametrize("program", [["script.py"], ["-m", "convcost"]])
def test_a_profiler_says_what_it_saw(program: list[str], tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "-m", "cProfile", *program, "analyze", LAYER]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Coverage" in process.stdout
    assert "function calls" in process.stdout


def test_a_program_that_runs_the_command_goes_on_after_it() -> None:
    program = "from convcost.cli import main; code = main(); print('ended with', code)"
    command = [sys.executable, "-c", program, "check", LAYER, "--max", "macs=1"]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert process.stdout.endswith("ended with 1\n")
