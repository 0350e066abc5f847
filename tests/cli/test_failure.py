"""How the program ends when it cannot go on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from convcost import __version__, sources
from convcost.cli import COMMANDS, main

ROOT = Path(__file__).parents[2]
LAYER = str(ROOT / "sample_configs" / "layer.yaml")

Capture = pytest.CaptureFixture[str]


def process(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "convcost", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, **options)


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(request: object) -> object:
        raise error

    monkeypatch.setattr(sources, "load", fail)


def test_version_is_printed(capsys: Capture) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"convcost {__version__}\n"


@pytest.mark.parametrize("command", [[], ["analyze"], ["compare"], ["check"], ["explain"]])
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_is_there_for_every_command(capsys: Capture, command: list[str], option: str) -> None:
    assert main([*command, option]) == 0
    assert "Usage: convcost" in capsys.readouterr().out


def test_the_list_of_commands_says_what_each_does_in_whole_sentences(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out.partition("Commands:\n")[2].splitlines()
    assert len(listed) == len(COMMANDS)
    assert [line for line in listed if line.endswith("...")] == []


def test_no_command_is_a_usage_error_with_the_help_on_stderr(capsys: Capture) -> None:
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Commands:" in err


@pytest.mark.parametrize("arguments", [["analyse", "x"], ["frobnicate"], ["--nope"]])
def test_a_command_that_does_not_exist_is_two_lines_and_two(capsys: Capture, arguments: list[str]) -> None:
    assert main(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["error", "hint"]


def test_json_stays_json_on_an_error(capsys: Capture) -> None:
    assert main(["analyze", "no-such.yaml", "-f", "json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], bool(document["error"]["message"])) == ("convcost/error/1", True)


def test_json_stays_json_when_the_command_line_is_wrong(capsys: Capture) -> None:
    assert main(["analyze", "--format=json", "--nope"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["hint"] == "see convcost analyze --help"


def test_a_fault_of_ours_is_one_line_and_asks_for_a_report(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    failing(monkeypatch, ZeroDivisionError("oh"))
    assert main(["analyze", "model.onnx"]) == 2
    assert capsys.readouterr().err == (
        "error: ZeroDivisionError: oh\nhint: this is a fault in convcost: please report it, with what -v prints\n"
    )


def test_verbose_shows_where(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    failing(monkeypatch, ZeroDivisionError("oh"))
    assert main(["analyze", "model.onnx", "-v"]) == 2
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    failing(monkeypatch, KeyboardInterrupt())
    assert main(["analyze", "model.onnx"]) == 130
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("code", [0, 1, None, "bye"])
def test_a_model_that_ends_the_program_does_not_pass_a_check(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, code: object
) -> None:
    failing(monkeypatch, SystemExit(code))
    assert main(["check", "model.onnx", "--max", "macs=1G"]) == 2
    assert "ended the program" in capsys.readouterr().err


def test_an_error_with_control_characters_stays_on_its_line(capsys: Capture) -> None:
    assert main(["analyze", "no\x1b[31m\nsuch.yaml"]) == 2
    err = capsys.readouterr().err
    assert "\x1b" not in err
    assert len(err.splitlines()) == 2


def test_a_missing_file_is_two_lines_and_two() -> None:
    ended = process("analyze", "no-such.yaml")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert [line.partition(":")[0] for line in ended.stderr.splitlines()] == ["error", "hint"]


GRID = ("compare", "--grid", "in_channels=64", "out_channels=64", "kernel=3", "input=56")


@pytest.mark.parametrize(
    "arguments",
    [
        ("analyze", LAYER),
        ("analyze", LAYER, "-f", "json", "-o", "/dev/stdout"),
        ("analyze", LAYER, LAYER, "--export", "json=/dev/stdout"),
        (*GRID, "-f", "csv", "-q"),
        (*GRID, "--export", "csv=/dev/stdout"),
    ],
    ids=" ".join,
)
def test_a_reader_that_goes_away_is_no_error(arguments: tuple[str, ...]) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, "-m", "convcost", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        ended = subprocess.run(
            command, stdout=write_end, stderr=subprocess.PIPE, text=True, check=False, env=environment
        )
    finally:
        os.close(write_end)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_reading_the_command_line_loads_no_pydantic() -> None:
    """Newer versions of typer would, to convert values that need no conversion."""
    program = (
        "import sys; from convcost.cli import main; "
        f"main(['compare', '--spec', {LAYER!r}, '-q']); assert 'pydantic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, capture_output=True)


def test_a_full_disk_is_an_error_and_not_a_traceback() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "convcost", "analyze", LAYER]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=environment)
    assert ended.returncode == 2
    assert ended.stderr == (
        "error: cannot write to stdout: No space left on device\n"
        "hint: free some space, or write elsewhere with -o FILE\n"
    )


def test_what_a_model_prints_does_not_spoil_the_report(tmp_path: Path) -> None:
    (tmp_path / "noisy.py").write_text(
        "import os, sys, torch\n"
        "sys.__stdout__.write('hello from a log\\n')\n"
        "print('hello from Python')\n"
        "os.write(1, b'hello from C\\n')\n"
        "def make():\n    return torch.nn.Linear(4, 4)\n"
    )
    ended = process("analyze", f"{tmp_path}/noisy.py:make", "--input", "1x4", "-f", "json")
    assert json.loads(ended.stdout)["totals"]["macs"] == 16
    assert "hello from Python" in ended.stderr
    assert "hello from C" in ended.stderr
    assert "hello from a log" in ended.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_stream_changes_no_exit_code(closed: str) -> None:
    """As under a daemon; 1 would say that a budget was exceeded."""
    for limit, code in (("1G", 0), ("1k", 1)):
        command = f'"{sys.executable}" -m convcost check "{LAYER}" --isolated --max macs={limit} {closed}'
        done = subprocess.run(["sh", "-c", command], capture_output=True, check=False, cwd=ROOT)
        assert (done.returncode, b"Traceback" in done.stderr) == (code, False)


@pytest.mark.parametrize(
    "arguments", [("nope.onnx",), ("nope.onnx", "-f", "json"), (LAYER, "-f", "json")], ids=" ".join
)
def test_a_stdout_that_takes_nothing_adds_no_second_error(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "convcost", "analyze", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        ended = subprocess.run(command, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 2
    assert [line.partition(":")[0] for line in ended.stderr.splitlines()] == ["error", "hint"]
