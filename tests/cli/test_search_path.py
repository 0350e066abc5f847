"""What import targets may be imported from, however the program was started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from convcost.cli import main

ROOT = Path(__file__).parents[2]
NETWORK = "from torch import nn\n\n\ndef make():\n    return nn.Linear({width}, 4)\n"


def analyzed(here: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "convcost", "analyze", "own_network:make", "--input", "1x8", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*command, "--query", "totals.macs"], capture_output=True, text=True, check=False, cwd=here, env=environment
    )


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    (tmp_path / "own_network.py").write_text(NETWORK.format(width=8))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "own_network.py").write_text("raise SystemExit('run')\n")
    return tmp_path


def test_the_current_folder_is_imported_from_only_when_asked_for(folders: Path) -> None:
    refused = analyzed(folders)
    assert refused.returncode == 2
    assert "there is no module 'own_network'" in refused.stderr
    assert "--pythonpath ." in refused.stderr
    allowed = analyzed(folders, "--pythonpath", ".")
    assert (allowed.returncode, allowed.stdout) == (0, "32\n")


def test_no_library_is_imported_from_the_current_folder(folders: Path) -> None:
    (folders / "typer.py").write_text("raise SystemExit('run')\n")
    assert "there is no module 'own_network'" in analyzed(folders).stderr


def test_the_first_folder_named_is_the_first_looked_into(folders: Path) -> None:
    assert analyzed(folders, "--pythonpath", ".", "--pythonpath", "other").stdout == "32\n"
    assert analyzed(folders, "--pythonpath", "other", "--pythonpath", ".").returncode == 2


def test_a_folder_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = list(sys.path)
    assert main(["analyze", "net.onnx", "--pythonpath", str(tmp_path / "none")]) == 2
    assert "there is no folder" in capsys.readouterr().err
    assert sys.path == before
