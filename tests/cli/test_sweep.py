"""`convcost analyze --sweep`, as it is typed."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import jsonschema
import pytest

from convcost.cli import main
from tests.reports.test_json import closed, schema_named
from tests.sources.onnx import tiny

MOBILENET = str(Path(__file__).parents[2] / "sample_configs" / "mobilenet_v1.yaml")
MACS = 568_740_352

Capture = pytest.CaptureFixture[str]


def run(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    code = main(("analyze", *arguments))
    out, err = capsys.readouterr()
    return code, out, err


def test_a_table_has_one_row_of_totals_for_each_value(capsys: Capture) -> None:
    code, out, err = run(capsys, MOBILENET, "--sweep", "batch=1,2,4", "--backward")
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert ["Batch", "MACs", "Params"] in [line[:3] for line in lines]
    assert [line[:3] for line in lines if line[:1] in (["1"], ["2"], ["4"])] == [
        ["1", "568.7", "M"],
        ["2", "1.14", "G"],
        ["4", "2.27", "G"],
    ]
    assert "Backward MACs" in out


@pytest.mark.parametrize("options", [(), ("--backward",)])
@pytest.mark.parametrize("targets", [(MOBILENET,), (MOBILENET, MOBILENET)])
def test_json_is_what_its_schema_describes(capsys: Capture, targets: tuple[str, ...], options: tuple[str, ...]) -> None:
    _, out, _ = run(capsys, *targets, "--sweep", "batch=1,3", *options, "-f", "json")
    document = json.loads(out)
    jsonschema.validate(document, closed(schema_named("sweep-1")))
    one = document["sweeps"][1] if len(targets) > 1 else document
    assert one["sweep"] == {"name": "batch", "values": [1, 3]}
    assert [point["totals"]["macs"] for point in one["points"]] == [MACS, 3 * MACS]
    assert [point["backward"] is not None for point in one["points"]] == [bool(options)] * 2


def test_csv_has_every_total_of_every_model(capsys: Capture) -> None:
    _, out, _ = run(capsys, MOBILENET, MOBILENET, "--sweep", "batch=1,2", "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [(row["swept"], row["value"], int(row["macs"])) for row in rows] == [
        ("batch", "1", MACS),
        ("batch", "2", 2 * MACS),
    ] * 2
    assert {row["unknown_ops"] for row in rows} == {"0"}


def test_a_query_reaches_a_point(capsys: Capture) -> None:
    assert run(capsys, MOBILENET, "--sweep", "batch=1,2", "--query", "points.1.totals.macs")[1] == f"{2 * MACS}\n"


def test_what_cannot_be_counted_is_said_and_strict_refuses_it(capsys: Capture, tmp_path: Path) -> None:
    content = tiny.graph([tiny.node("Mystery", ["x"], ["y"])], {"x": ["N", 3]})
    target = tiny.save(content, tmp_path)
    _, out, _ = run(capsys, target, "--sweep", "N=1,2")
    assert "all but params are lower bounds" in out
    assert "Mystery" in out
    code, _, err = run(capsys, target, "--sweep", "N=1,2", "--strict")
    assert code == 2
    assert "cannot count Mystery" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--sweep", "batch"], "is not NAME=VALUES"),
        (["--sweep", "batch=1,2", "--by", "kind"], "--sweep shows totals, not layers"),
        (["--sweep", "batch=1,2", "--unit", "flops"], "--sweep shows totals, not layers"),
        (["--sweep", "seq=1,2"], "no symbolic dimension 'seq'"),
    ],
)
def test_a_wrong_sweep_is_one_error_one_hint_and_two(capsys: Capture, arguments: list[str], says: str) -> None:
    code, out, err = run(capsys, MOBILENET, *arguments)
    error, hint = err.splitlines()
    assert (code, out) == (2, "")
    assert says in error
    assert hint.startswith("hint: ")
