"""Documents made from the code are in step with it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def generate(*arguments: str, script: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT)})


def test_a_document_out_of_step_is_noticed_and_written_anew(tmp_path: Path) -> None:
    script = tmp_path / "generate.py"
    for name in ("generate.py", "onnx_operators.py"):
        (tmp_path / name).write_text((ROOT / "docs" / name).read_text())
    assert generate("--check", script=script).returncode == 1
    assert generate(script=script).returncode == 0
    assert generate("--check", script=script).returncode == 0
    (tmp_path / "ops.md").write_text("stale")
    ended = generate("--check", script=script)
    assert (ended.returncode, ended.stderr) == (
        1,
        "out of step with the code: ops.md; run python docs/generate.py\n",
    )


def test_the_tests_and_modules_that_the_security_page_names_exist() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    tests = re.findall(r"`(tests/[\w/]+\.py)`", page)
    modules = re.findall(r"`(sources/[\w/]+\.py)`", page)
    assert tests
    assert modules
    assert [name for name in tests if not (ROOT / name).is_file()] == []
    assert [name for name in modules if not (ROOT / "convcost" / name).is_file()] == []
