"""Hostile files: each is read or refused in one error and one hint, within bounded memory and time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.nasty.make import NASTY, make
from tests.nasty.nasty import Nasty

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    folder = tmp_path_factory.mktemp("nasty")
    make(folder)
    # Without threads of its own, NumPy takes little address space.
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.nasty.under_limits", str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)
    assert ended.returncode == 0, f"ended with {ended.returncode}: {ended.stderr[-2000:]}"
    found: dict[str, dict[str, object]] = json.loads(ended.stdout)
    return found


@pytest.mark.parametrize("nasty", NASTY, ids=lambda nasty: nasty.label)
def test_every_hostile_file_is_read_or_refused_in_one_error(
    nasty: Nasty, outcomes: dict[str, dict[str, object]]
) -> None:
    outcome = outcomes[nasty.label]
    said = str(outcome["err"])
    assert "Traceback" not in said
    assert "fault in convcost" not in said
    lines = [line.partition(":")[0] for line in said.splitlines() if not line.startswith("note: ")]
    if nasty.says:
        assert (outcome["code"], lines) == (2, ["error", "hint"]), said[:500]
        assert nasty.says in said
    else:
        assert (outcome["code"], lines) == (nasty.code, []), said[:500]


@pytest.mark.parametrize("nasty", NASTY, ids=lambda nasty: nasty.label)
def test_nothing_that_a_terminal_would_act_on_comes_out(nasty: Nasty, outcomes: dict[str, dict[str, object]]) -> None:
    outcome = outcomes[nasty.label]
    for text in (str(outcome["out"]), str(outcome["err"])):
        shown = text.replace("\n", "")
        assert {"json", "gitlab", "sarif"} & {*nasty.command} or shown.isprintable()
        assert "\x1b" not in shown


def test_no_name_begins_a_command_to_a_ci_system(outcomes: dict[str, dict[str, object]]) -> None:
    for outcome in outcomes.values():
        lines = str(outcome["out"]).splitlines()
        commands = [line for line in lines if line.lstrip().startswith("::")]
        assert not [line for line in commands if not line.startswith("::error file=")]


def test_no_cell_of_a_spreadsheet_starts_a_formula(outcomes: dict[str, dict[str, object]]) -> None:
    table = str(outcomes["names.onnx: analyze @ --format csv"]["out"])
    assert "cmd" in table
    assert not [line for line in table.splitlines() if line.split(",")[1][:1] in tuple("=+-@")]


def test_the_files_are_the_same_every_time(tmp_path: Path) -> None:
    for each in ("a", "b"):
        (tmp_path / each).mkdir()
        make(tmp_path / each)
    for nasty in NASTY:
        assert (tmp_path / "a" / nasty.name).read_bytes() == (tmp_path / "b" / nasty.name).read_bytes()
