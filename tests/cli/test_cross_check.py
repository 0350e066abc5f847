"""`convcost analyze --cross-check`, as it is typed."""

from __future__ import annotations

import csv
import io
import json

import jsonschema
import pytest

from convcost.cli import main
from tests.reports.test_json import closed, schema_named

RESNET = "torchvision:resnet18"
MACS = 1_814_073_344
FVCORES = 1_819_065_856

Capture = pytest.CaptureFixture[str]


def run(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    code = main(("analyze", *arguments))
    out, err = capsys.readouterr()
    return code, out, err


def test_the_table_adds_up_and_gives_reasons(capsys: Capture) -> None:
    code, out, _ = run(capsys, RESNET, "--cross-check", "fvcore")
    assert code == 0
    lines = [line.strip() for line in out.splitlines()]
    assert any(line.startswith("Second opinion: fvcore, version 0.1.5") for line in lines)
    assert any(line.startswith("bn1") and line.endswith("counts batch_norm, which is no product") for line in lines)
    assert [line.split()[-1] for line in lines if line.startswith("counts batch_norm")] == ["M"]
    assert any(line.split()[:2] == ["…", "9"] for line in lines)
    assert any(line.startswith("Total") and f"{MACS:,}" not in line for line in lines)
    _, every, _ = run(capsys, RESNET, "--cross-check", "fvcore", "-v")
    assert "… 9 more modules" not in every


def test_agreement_is_said_in_numbers(capsys: Capture) -> None:
    _, out, _ = run(capsys, RESNET, "--cross-check", "torch")
    (line,) = [line.split() for line in out.splitlines() if "modules counted alike" in line]
    assert line[:4] == ["21", "modules", "counted", "alike"]
    assert "no module differs" in out
    assert "Why torch differs" not in out


@pytest.mark.parametrize("targets", [(RESNET,), (RESNET, RESNET)])
def test_json_is_what_its_schema_describes(capsys: Capture, targets: tuple[str, ...]) -> None:
    _, out, _ = run(capsys, *targets, "--cross-check", "fvcore", "-f", "json")
    document = json.loads(out)
    jsonschema.validate(document, closed(schema_named("analysis-1")))
    one = document["analyses"][1] if len(targets) > 1 else document
    assert one["totals"]["macs"] == one["cross_check"]["macs"] == MACS
    assert one["cross_check"]["theirs"] == FVCORES
    explained = sum(reason["amount"] for each in one["cross_check"]["disagreements"] for reason in each["reasons"])
    assert explained == FVCORES - MACS


def test_csv_lists_the_modules_that_differ(capsys: Capture) -> None:
    _, out, _ = run(capsys, RESNET, "--cross-check", "fvcore", "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 21
    assert sum(int(row["theirs"]) - int(row["macs"]) for row in rows) == FVCORES - MACS
    assert {row["unexplained"] for row in rows} == {"0"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--cross-check", "thop"], "--cross-check is one of fvcore, torch"),
        (["--cross-check", "torch", "--sweep", "batch=1,2"], "--sweep and --cross-check are two reports"),
        (["--cross-check", "torch", "--latency"], "--cross-check counts, and measures nothing"),
    ],
)
def test_a_wrong_cross_check_is_one_error_one_hint_and_two(capsys: Capture, arguments: list[str], says: str) -> None:
    code, out, err = run(capsys, RESNET, *arguments)
    error, hint = err.splitlines()
    assert (code, out) == (2, "")
    assert says in error
    assert hint.startswith("hint: ")
