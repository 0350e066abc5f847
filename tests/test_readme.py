"""Every command and every line of Python in README.md, run: it shows what is true today."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = [
    (command, output.strip("\n"))
    for block in re.findall(r"^```console\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
    for command, output in re.findall(r"^\$ (convcost .*)\n((?:(?!\$ ).*\n)*)", block, flags=re.MULTILINE)
]
# A CPU build of torch beside the published torchvision earns a note that readers with matching builds never see.
UNFIT_TORCHVISION = re.compile(r"^note: torchvision's compiled operators .*\n\n", flags=re.MULTILINE)


@pytest.mark.parametrize(("command", "output"), SHOWN, ids=[command for command, _ in SHOWN])
def test_command_prints_what_readme_shows(command: str, output: str, run_convcost: list[str]) -> None:
    done = subprocess.run(
        [*run_convcost, *shlex.split(command)[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert UNFIT_TORCHVISION.sub("", done.stdout).strip("\n") == output, done.stderr


def test_readme_shows_the_main_commands() -> None:
    assert {command.split()[1] for command, _ in SHOWN} == {"analyze", "compare", "separability", "check", "explain"}


def test_python_of_readme_runs() -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[0].startswith("1814073344 11"), done.stderr
    assert done.stdout.splitlines()[-1] == "params pass"


def test_make_targets_of_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = re.findall(r"^make (\w+)", README, flags=re.MULTILINE)
    assert named == ["demo", "test"]
    assert all(re.search(rf"^{target}:", makefile, flags=re.MULTILINE) for target in named)


def test_links_of_readme_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if not link.startswith("http")]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.fixture
def run_convcost(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command line in a fresh process, without the variables that would colour or resize it."""
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(os.environ, "PYTHONIOENCODING", "utf-8")
    return [sys.executable, "-m", "convcost"]
