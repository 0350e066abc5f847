"""`convcost check`, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from convcost.cli import main

SAMPLES = Path(__file__).parents[2] / "sample_configs"
MOBILENET = str(SAMPLES / "mobilenet_v1.yaml")

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (["macs=600M"], 0),
        (["macs=568740352"], 0),
        (["macs=568740351"], 1),
        (["macs=600M", "params=4M"], 1),
        (["macs=600M", "weight_bytes=20MB", "peak_activation_bytes=8MiB"], 0),
    ],
)
def test_exit_codes_follow_the_budgets(limits: list[str], code: int) -> None:
    assert main(["check", MOBILENET, *[word for limit in limits for word in ("--max", limit)]]) == code


def test_a_failure_says_by_how_much_where_and_how_to_accept(capsys: Capture) -> None:
    assert main(["check", MOBILENET, "--max", "macs=500M"]) == 1
    out = capsys.readouterr().out
    assert "FAIL" in out
    assert "68.74 M over" in out
    assert "13.7 %" in out
    assert "block13.pointwise" in out or "block3.pointwise" in out
    assert "--max macs=568740352" in out


def test_a_difference_that_rounding_hides_is_shown_exactly(capsys: Capture) -> None:
    assert main(["check", MOBILENET, "--max", "macs=568740351"]) == 1
    out = capsys.readouterr().out
    assert "568,740,352" in out
    assert "568,740,351" in out


def test_the_report_is_written_before_the_code_is_decided(capsys: Capture, tmp_path: Path) -> None:
    report = tmp_path / "check.json"
    assert main(["check", MOBILENET, "--max", "macs=1", "--export", f"json={report}"]) == 1
    assert json.loads(report.read_text())["status"] == "fail"


@pytest.mark.parametrize(
    ("arguments", "says", "hint"),
    [
        ([MOBILENET, "--max", "600M"], "does not say of which metric", "write --max macs=600M"),
        ([MOBILENET, "--max", "latency"], "does not say how much", "write --max latency=12ms"),
        ([MOBILENET, "--max-increase", "macs"], "does not say how much", "write --max-increase macs=5%"),
        ([MOBILENET, "--max", "p10=12ms"], "'p10' is not a metric", "bytes_moved, latency"),
        ([MOBILENET, "--max", "macs=600m"], "thousandths", "write macs=600M"),
        ([MOBILENET, "--max", "macs=600 MFLOPs"], "not a unit of macs", "write flops=600M"),
        ([MOBILENET, "--max", "mac=600M"], "'mac' is not a metric", "did you mean macs?"),
        ([MOBILENET, "--max", "weight_bytes=20M"], "does not say bytes", "write weight_bytes=20MB"),
        (["no-such.yaml", "--max", "macs=1"], "no-such.yaml", ""),
    ],
)
def test_a_check_that_cannot_be_made_is_two(capsys: Capture, arguments: list[str], says: str, hint: str) -> None:
    assert main(["check", *arguments]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert says in first
    assert hint in second


def test_a_model_that_cannot_be_read_beats_one_that_fails() -> None:
    assert main(["check", MOBILENET, "no-such.yaml", "--max", "macs=1"]) == 2
