"""`convcost init`: a config that the check it is for passes."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from convcost.cli import main
from tests.cli.test_gate import DENSE, NET

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    Path("net.yaml").write_text(NET)
    return tmp_path


def test_todays_model_passes_and_a_lost_group_does_not(folder: Path) -> None:
    assert main(["init", "net.yaml"]) == 0
    assert main(["check"]) == 0
    Path("net.yaml").write_text(DENSE)
    assert main(["check"]) == 1


def test_limits_are_todays_numbers_plus_headroom(folder: Path) -> None:
    main(["init", "net.yaml", "--headroom", "50%"])
    config = yaml.safe_load(Path("convcost.yaml").read_text())
    assert config["models"] == [{"name": "net", "spec": "net.yaml"}]
    # 364,544 MACs and half as much again, in three digits and not below.
    assert config["budgets"][0]["macs"] == "547k"
    assert config["layer_budgets"][0]["macs"] == "443k"


def test_what_was_written_is_shown_as_a_diff(folder: Path, capsys: Capture) -> None:
    main(["init", "net.yaml", "--ci", "github"])
    out = capsys.readouterr().out
    assert "+++ b/convcost.yaml" in out
    assert "+++ b/.github/workflows/convcost.yml" in out
    written = [line[1:] for line in out.splitlines() if line.startswith("+") and not line.startswith("+++")]
    expected = Path("convcost.yaml").read_text() + Path(".github/workflows/convcost.yml").read_text()
    assert written == expected.splitlines()


@pytest.mark.parametrize("system", ["github", "gitlab"])
def test_the_ci_file_is_yaml_and_runs_the_check(folder: Path, system: str) -> None:
    main(["init", "net.yaml", "--ci", system])
    (path,) = [path for path in folder.rglob("convcost.yml") if ".git/" not in str(path)]
    assert "convcost check" in str(yaml.safe_load(path.read_text()))


def test_a_file_that_is_there_is_left_alone(folder: Path, capsys: Capture) -> None:
    Path("convcost.yaml").write_text("mine\n")
    assert main(["init", "net.yaml"]) == 2
    assert "convcost.yaml is there already" in capsys.readouterr().err
    assert Path("convcost.yaml").read_text() == "mine\n"
    assert main(["init", "net.yaml", "--force"]) == 0
    assert "-mine" in capsys.readouterr().out


def test_without_a_model_there_is_nothing_to_write(folder: Path, capsys: Capture) -> None:
    assert main(["init"]) == 2
    assert not Path("convcost.yaml").exists()


def test_models_of_one_name_are_told_apart_by_their_paths(folder: Path) -> None:
    Path("a").mkdir()
    Path("a/net.yaml").write_text(NET)
    assert main(["init", "net.yaml", "a/net.yaml"]) == 0
    config = yaml.safe_load(Path("convcost.yaml").read_text())
    assert [model["name"] for model in config["models"]] == ["net.yaml", "a/net.yaml"]
    assert main(["check"]) == 0
