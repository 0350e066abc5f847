"""`convcost diff`, as it is typed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import jsonschema
import pytest

from convcost.cli import main
from tests.cli.test_gate import DENSE, NET

Capture = pytest.CaptureFixture[str]
SCHEMA = Path(__file__).parents[2] / "docs" / "schema" / "difference-1.json"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("old.yaml").write_text(NET)
    Path("new.yaml").write_text(DENSE)
    return tmp_path


def test_two_models_are_told_apart_layer_by_layer(folder: Path, capsys: Capture) -> None:
    assert main(["diff", "old.yaml", "new.yaml"]) == 0
    out = capsys.readouterr().out
    assert "old.yaml (spec) → new.yaml (spec)" in out
    assert "groups 16 → 1: depthwise became dense, 16x" in out
    assert "2 layers are unchanged." in out


def test_a_saved_report_stands_for_its_model(folder: Path, capsys: Capture) -> None:
    main(["analyze", "old.yaml", "-q", "--export", "json=old.json"])
    capsys.readouterr()
    assert main(["diff", "old.json", "old.yaml"]) == 0
    assert "No layer differs." in capsys.readouterr().out


def test_a_revision_stands_for_its_files(folder: Path, capsys: Capture) -> None:
    identity = ["-c", "user.name=n", "-c", "user.email=e@x.y"]
    for command in (["init", "-q"], ["add", "--all"], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *identity, *command], check=True)
    Path("old.yaml").write_text(DENSE)
    assert main(["diff", "git:HEAD:old.yaml", "old.yaml"]) == 0
    assert "git:HEAD:old.yaml (spec) → old.yaml (spec)" in capsys.readouterr().out
    assert main(["diff", "git:HEAD:gone.yaml", "old.yaml"]) == 2
    assert "gone.yaml does not exist at 'HEAD'" in capsys.readouterr().err
    assert main(["diff", "git:--help:old.yaml", "old.yaml"]) == 2


def test_growth_beyond_a_limit_is_a_regression(folder: Path) -> None:
    assert main(["diff", "old.yaml", "new.yaml", "--max-increase", "macs=5%"]) == 1
    assert main(["diff", "new.yaml", "old.yaml", "--max-increase", "macs=5%"]) == 0


def test_json_is_what_its_schema_says(folder: Path, capsys: Capture) -> None:
    main(["diff", "old.yaml", "new.yaml", "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    (change,) = document["changes"]
    assert change["metrics"]["macs"] == {"old": 36_864, "new": 589_824}
    totals = document["totals"]["macs"]
    assert totals["delta"] == totals["new"] - totals["old"] == 552_960


@pytest.mark.parametrize("form", ["csv", "markdown"])
def test_every_format_names_the_changed_layer(folder: Path, capsys: Capture, form: str) -> None:
    assert main(["diff", "old.yaml", "new.yaml", "--format", form]) == 0
    assert "middle" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "says"),
    [("{", "not JSON"), ("{}", "has no 'schema'"), ('{"analyses": []}', "holds 0 analyses"), ("[" * 10**5, "not JSON")],
)
def test_a_file_that_is_no_report_is_an_error(folder: Path, capsys: Capture, content: str, says: str) -> None:
    Path("bad.json").write_text(content)
    assert main(["diff", "bad.json", "old.yaml"]) == 2
    assert says in capsys.readouterr().err


def test_inputs_do_not_apply_to_saved_reports(folder: Path, capsys: Capture) -> None:
    main(["analyze", "old.yaml", "-q", "--export", "json=old.json"])
    assert main(["analyze", "old.json", "--input", "1x3x8x8"]) == 2
    assert main(["diff", "old.json", "old.json", "--input", "1x3x8x8"]) == 2


def test_a_limit_on_latency_is_refused_rather_than_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    spec = str(Path(__file__).parents[2] / "sample_configs" / "layer.yaml")
    assert main(["diff", spec, spec, "--max-increase", "latency=5%"]) == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert error == "error: diff compares counts, and latency is measured"
    assert "convcost measure OLD NEW" in hint
