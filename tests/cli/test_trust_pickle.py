"""`--trust-pickle` on every command that reads a model, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from convcost.cli import main
from tests.sources.torch.networks import Residual

INPUT = ("--input", "1x4x8x8")
COMMANDS = (
    ("analyze", "net.pt", *INPUT),
    ("compare", "net.pt", *INPUT),
    ("check", "net.pt", *INPUT, "--max", "macs=1G"),
    ("diff", "net.pt", "net.pt", *INPUT),
    ("analyze", "net.pt", *INPUT, "--sweep", "batch=1,2"),
    ("analyze", "net.pt", *INPUT, "--convention", "ptflops"),
    ("analyze", "net.pt", *INPUT, "--cross-check", "fvcore"),
    ("analyze", "net.pt", *INPUT, "--cross-check", "torch"),
)

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    torch.save(Residual(), "net.pt")
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: " ".join(words[:1] + words[4:5]))
def test_every_command_unpickles_only_when_told_to(saved: Path, capsys: Capture, command: tuple[str, ...]) -> None:
    assert main([*command]) == 2
    assert "--trust-pickle" in capsys.readouterr().err
    assert main([*command, "--trust-pickle"]) == 0


def convention(capsys: Capture, target: str) -> object:
    capsys.readouterr()
    assert main(["analyze", target, *INPUT, "--convention", "ptflops", "--trust-pickle", "-f", "json"]) == 0
    return json.loads(capsys.readouterr().out)["convention_terms"]


def test_an_unpickled_module_is_counted_by_other_counters_as_the_module_it_is(saved: Path, capsys: Capture) -> None:
    (saved / "net.py").write_text("from tests.sources.torch.networks import Residual\n")
    torch.jit.script(Residual()).save("script.pt")
    assert convention(capsys, "net.pt") == convention(capsys, "net.py:Residual") != convention(capsys, "script.pt")


def test_a_configs_models_are_unpickled_only_when_the_command_line_says_so(saved: Path, capsys: Capture) -> None:
    (saved / "convcost.yaml").write_text(
        "models: [{name: net, path: net.pt, inputs: [[1, 4, 8, 8]]}]\nbudgets: [{macs: 1G}]\n"
    )
    assert main(["check"]) == 2
    assert "does not unpickle" in capsys.readouterr().err
    assert main(["check", "--trust-pickle"]) == 0
    assert main(["check", "net", "--trust-pickle"]) == 0


@pytest.mark.parametrize("key", ["trust_pickle", "trust-pickle"])
@pytest.mark.parametrize("place", ["{}: true\nmodels: [{{path: net.pt}}]", "models: [{{path: net.pt, {}: true}}]"])
def test_no_config_can_ask_for_it(saved: Path, capsys: Capture, key: str, place: str) -> None:
    (saved / "convcost.yaml").write_text(place.format(key) + "\nbudgets: [{macs: 1G}]\n")
    assert main(["check"]) == 2
    assert key.replace("-", "_") in capsys.readouterr().err


def test_the_environment_cannot_ask_for_it(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVCOST_TRUST_PICKLE", "1")
    assert main(["analyze", "net.pt", *INPUT]) == 2


def test_a_saved_report_cannot_ask_for_it(saved: Path, capsys: Capture) -> None:
    (saved / "report.json").write_text(json.dumps({"schema": "convcost/analysis/1", "trust_pickle": True}))
    assert main(["diff", "report.json", "net.pt", *INPUT]) == 2
