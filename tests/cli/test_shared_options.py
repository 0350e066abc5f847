"""What every command that prints data has in common: formats, files, colour, silence."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from convcost.cli import main

ROOT = Path(__file__).parents[2]
LAYER = str(ROOT / "sample_configs" / "layer.yaml")
KERNELS = str(ROOT / "sample_configs" / "kernels" / "laplacian.yaml")
# measure, which takes its time, is tried in a file of its own.
COMMANDS = (
    ("analyze", LAYER),
    ("compare", LAYER),
    ("separability", KERNELS),
    ("check", LAYER, "--max", "macs=1G", "--isolated"),
    ("diff", LAYER, LAYER),
    ("config", "show", "--isolated"),
    ("explain", "macs"),
)
ESCAPE = "\x1b["

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch
for_each_command = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])


class Terminal:
    """Says that it is one, and keeps what is written to it."""

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


@for_each_command
def test_json_and_csv_are_what_their_names_say(capsys: Capture, command: tuple[str, ...]) -> None:
    assert main([*command, "-f", "json", "-q"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)
    assert err == ""
    assert main([*command, "-f", "csv", "-q"]) == 0
    assert "," in capsys.readouterr().out.splitlines()[0]


@for_each_command
def test_a_report_goes_to_files_whole(capsys: Capture, tmp_path: Path, command: tuple[str, ...]) -> None:
    told, document, page = tmp_path / "told.txt", tmp_path / "report.json", tmp_path / "page.md"
    assert main([*command, "-o", str(told), "--export", f"json={document}", "--export", f"markdown={page}", "-q"]) == 0
    assert capsys.readouterr().out == ""
    assert told.read_text()
    assert json.loads(document.read_text())
    assert page.read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"told.txt", "report.json", "page.md"}


@pytest.mark.parametrize("option", [("-o", "-"), ("--export", "json=-")], ids=" ".join)
def test_a_dash_is_not_taken_for_a_file(
    capsys: Capture, tmp_path: Path, monkeypatch: Patch, option: tuple[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["explain", "macs", *option]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "the report goes to stdout" in err
    assert list(tmp_path.iterdir()) == []


@for_each_command
def test_a_query_prints_one_value_alone(capsys: Capture, command: tuple[str, ...]) -> None:
    assert main([*command, "--query", "schema", "-q"]) == 0
    assert re.fullmatch(r"convcost/[a-z]+/1\n", capsys.readouterr().out)


@for_each_command
def test_colour_is_for_terminals_unless_it_is_asked_for(
    capsys: Capture, monkeypatch: Patch, command: tuple[str, ...]
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert main([*command]) == 0
    assert ESCAPE not in capsys.readouterr().out
    assert main([*command, "--color", "always"]) == 0
    assert ESCAPE in capsys.readouterr().out


@pytest.mark.parametrize(
    ("no_color", "option", "coloured"),
    [("", "auto", True), ("1", "auto", False), ("", "never", False), ("1", "always", True)],
)
def test_no_color_is_respected_on_a_terminal(monkeypatch: Patch, no_color: str, option: str, *, coloured: bool) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("NO_COLOR", no_color)
    assert main(["explain", "macs", "--color", option]) == 0
    assert (ESCAPE in terminal.text) is coloured


@for_each_command
def test_more_is_said_without_a_fault(capsys: Capture, command: tuple[str, ...]) -> None:
    assert main([*command, "-v"]) == 0
    assert capsys.readouterr().out
