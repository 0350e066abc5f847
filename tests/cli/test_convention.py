"""`convcost analyze --convention`, as it is typed."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import jsonschema
import pytest

from convcost.cli import main
from tests.reports.test_json import closed, schema_named

ROOT = Path(__file__).parents[2]
RESNET = "torchvision:resnet18"
ONNX = str(ROOT / "sample_configs" / "onnx" / "mobilenet_v2.onnx")
SPEC = str(ROOT / "sample_configs" / "layer.yaml")
MACS, THOPS = 1_814_073_344, 1_824_033_792

Capture = pytest.CaptureFixture[str]


def run(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    code = main(("analyze", *arguments))
    out, err = capsys.readouterr()
    return code, out, err


def test_the_table_leads_from_our_macs_to_what_the_counter_prints(capsys: Capture) -> None:
    code, out, _ = run(capsys, RESNET, "--convention", "thop")
    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert "By the rules of thop 0.1.1.post2209072238" in out
    assert ["MACs,", "as", "convcost", "counts", "21", f"{MACS:,}"] in lines
    assert [line[-2:] for line in lines if line[:1] == ["normalisation,"]] == [["20", "+9,934,848"]]
    assert ["what", "thop", "would", "print", "(1.82", "G)", f"{THOPS:,}"] in lines
    assert "about" not in out


@pytest.mark.parametrize("targets", [(RESNET,), (RESNET, ONNX)])
def test_json_is_what_its_schema_describes(capsys: Capture, targets: tuple[str, ...]) -> None:
    _, out, _ = run(capsys, *targets, "--convention", "thop", "-f", "json")
    document = json.loads(out)
    jsonschema.validate(document, closed(schema_named("analysis-1")))
    for one in document.get("analyses", [document]):
        said = one["convention_terms"]
        assert said["macs"] == one["totals"]["macs"]
        assert said["total"] == said["macs"] + sum(term["amount"] for term in said["terms"])
        assert said["exact"] is (one["source"]["kind"] == "torch")


def test_one_number_can_be_asked_for(capsys: Capture) -> None:
    _, out, _ = run(capsys, RESNET, "--convention", "thop", "--query", "convention_terms.total")
    assert out == f"{THOPS}\n"


def test_csv_lists_what_adds_up_to_the_total(capsys: Capture) -> None:
    _, out, _ = run(capsys, RESNET, "--convention", "thop", "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert sum(int(row["amount"]) for row in rows) == THOPS
    assert {row["exact"] for row in rows} == {"yes"}


@pytest.mark.parametrize("target", [ONNX, SPEC])
@pytest.mark.parametrize("convention", ["fvcore", "thop", "ptflops", "torchinfo"])
def test_without_modules_the_total_is_about_right_and_says_why(capsys: Capture, target: str, convention: str) -> None:
    code, out, _ = run(capsys, target, "--convention", convention)
    assert code == 0
    assert f"about what {convention} would print" in out
    assert "about: there are no PyTorch modules here" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([RESNET, "--convention", "tho"], "--convention is one of fvcore, thop, ptflops, torchinfo, not 'tho'"),
        ([RESNET, "--convention", "thop", "--sweep", "batch=1,2"], "--sweep and --convention are two reports"),
        ([RESNET, "--convention", "thop", "--cross-check", "torch"], "--cross-check and --convention are two reports"),
        ([RESNET, "--convention", "thop", "--latency"], "--convention counts, and measures nothing"),
        (["report.json", "--convention", "thop"], "report.json is a report, or would be read as one"),
        (["git:HEAD:model.onnx", "--convention", "thop"], "git:HEAD:model.onnx is a report"),
    ],
)
def test_a_wrong_convention_is_one_error_one_hint_and_two(capsys: Capture, arguments: list[str], says: str) -> None:
    code, out, err = run(capsys, *arguments)
    error, hint = err.splitlines()
    assert (code, out) == (2, "")
    assert says in error
    assert hint.startswith("hint: ")
