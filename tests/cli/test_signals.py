"""Signals in the middle of a run: the exit code says so, nothing is half-written, and no temporary file stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# convcost, but for a reader of ONNX files that says when it begins and takes its time. What a shell runs in the
# background is deaf to SIGINT, these tests perhaps among it.
SLOW = """
import pathlib, signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from convcost.cli import main
from convcost.sources import onnx

def load(request):
    pathlib.Path("begun").touch()
    time.sleep(60)

onnx.load_onnx = load
raise SystemExit(main())
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One whose file is taken out into the temporary folder to be read, and a report that is there already."""
    (tmp_path / "net.onnx").write_bytes(b"\0")
    for words in (["init", "-q"], ["add", "net.onnx"], ["commit", "-q", "-m", "a"]):
        names = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *names, *words], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "slow.py").write_text(SLOW)
    (tmp_path / "report.json").write_text("before")
    (tmp_path / "tmp").mkdir()
    return tmp_path


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_stopped_writes_nothing_and_leaves_nothing(repository: Path, number: int, code: int) -> None:
    temporary = repository / "tmp"
    process = subprocess.Popen(
        [sys.executable, "slow.py", "analyze", "git:HEAD:net.onnx", "--export", "json=report.json"],
        cwd=repository,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while not (repository / "begun").exists() and process.poll() is None:
        time.sleep(0.02)
    assert list(temporary.iterdir())
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, b"")
    assert b"Traceback" not in err
    assert (repository / "report.json").read_text() == "before"
    assert {path.name for path in repository.iterdir()} == {
        ".git",
        "begun",
        "net.onnx",
        "report.json",
        "slow.py",
        "tmp",
    }
    assert not list(temporary.iterdir())


@pytest.mark.parametrize(
    "program", [["-c", "from convcost.__main__ import main; raise SystemExit(main())"], ["-m", "convcost"]]
)
def test_an_interrupt_while_the_program_is_being_imported_is_one_too(program: list[str], tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt\n")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))}
    ended = subprocess.run([sys.executable, *program], capture_output=True, check=False, cwd=ROOT, env=environment)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, b"", b"")
