"""`convcost analyze`, as it is typed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from convcost.analysis.cross_check import PEERS
from convcost.cli import main
from convcost.conventions import CONVENTIONS
from convcost.latency import PROCESSORS, RUNTIMES

SAMPLES = Path(__file__).parents[2] / "sample_configs"
LAYER = str(SAMPLES / "layer.yaml")
LAYERS = str(SAMPLES / "layers.yaml")
MOBILENET = str(SAMPLES / "mobilenet_v1.yaml")

Capture = pytest.CaptureFixture[str]


def run(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    ("option", "choices"),
    [("--convention", CONVENTIONS), ("--cross-check", PEERS), ("--device", PROCESSORS), ("--runtime", RUNTIMES)],
)
def test_help_lists_every_choice_that_there_is(capsys: Capture, option: str, choices: Iterable[str]) -> None:
    _, out, _ = run(capsys, "analyze", "--help")
    assert f"  {option} {'|'.join(choices)}" in out


def test_a_table_is_the_default(capsys: Capture) -> None:
    code, out, err = run(capsys, "analyze", MOBILENET)
    assert (code, err) == (0, "")
    assert "MACs              568.7 M    568,740,352  multiply-accumulates" in out


def test_json_is_exact(capsys: Capture) -> None:
    _, out, _ = run(capsys, "analyze", MOBILENET, "-f", "json")
    assert json.loads(out)["totals"]["macs"] == 568_740_352


def test_several_targets_are_a_list_in_json_and_one_table_in_csv(capsys: Capture) -> None:
    _, out, _ = run(capsys, "analyze", LAYER, LAYERS, "-f", "json")
    assert [each["source"]["target"] for each in json.loads(out)["analyses"]] == [LAYER, LAYERS]
    _, out, _ = run(capsys, "analyze", LAYER, LAYERS, "-f", "csv")
    assert {row["target"] for row in csv.DictReader(io.StringIO(out))} == {LAYER, LAYERS}


def test_markdown_is_a_table_of_pipes(capsys: Capture) -> None:
    _, out, _ = run(capsys, "analyze", LAYER, "--format", "markdown")
    assert out.startswith("### ")
    assert "| `conv1` | conv | 1×128×28×28 | 115.6 M | 100.0 % |" in out


def test_query_prints_the_value_alone(capsys: Capture) -> None:
    assert run(capsys, "analyze", MOBILENET, "--query", "totals.macs") == (0, "568740352\n", "")


def test_the_backward_pass_stands_beside_the_forward_one(capsys: Capture) -> None:
    _, out, _ = run(capsys, "analyze", MOBILENET, "--backward")
    assert "Backward MACs      1.13 G  1,126,642,688  gradients of inputs and weights" in out
    _, out, _ = run(capsys, "analyze", MOBILENET, "--backward", "-f", "csv")
    assert sum(int(row["backward_macs"] or 0) for row in csv.DictReader(io.StringIO(out))) == 1_126_642_688
    _, out, _ = run(capsys, "analyze", MOBILENET, "--backward", "--by", "kind", "-f", "json")
    document = json.loads(out)
    assert sum(group["backward"]["macs"] for group in document["groups"]) == document["backward"]["macs"]
    assert "Backward" not in run(capsys, "analyze", MOBILENET)[1]


def test_rows_can_be_modules_or_kinds(capsys: Capture) -> None:
    _, out, _ = run(capsys, "analyze", MOBILENET, "--depth", "1", "-f", "csv")
    assert [row["module"] for row in csv.DictReader(io.StringIO(out))][:2] == ["stem", "block1"]
    _, out, _ = run(capsys, "analyze", MOBILENET, "--by", "kind", "-f", "csv")
    assert "pointwise" in {row["kind"] for row in csv.DictReader(io.StringIO(out))}


def test_groups_are_in_json_when_asked_for(capsys: Capture) -> None:
    _, out, _ = run(capsys, "analyze", MOBILENET, "--by", "kind", "-f", "json")
    document = json.loads(out)
    assert sum(group["macs"] for group in document["groups"]) == document["totals"]["macs"]


def test_top_shows_the_costliest(capsys: Capture) -> None:
    _, out, _ = run(capsys, "analyze", LAYERS, "--top", "1", "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 2
    assert int(rows[0]["macs"]) >= max(int(row["macs"]) for row in rows[:1])
    assert rows[1]["layer"].startswith("… ")


def test_flops_can_lead(capsys: Capture) -> None:
    _, out, _ = run(capsys, "analyze", LAYER, "--unit", "flops")
    head = out.splitlines()[3].split()
    assert head.index("FLOPs") < head.index("MACs")


def test_an_input_changes_a_networks_size(capsys: Capture) -> None:
    _, out, _ = run(capsys, "analyze", MOBILENET, "--input", "1x3x192x192", "--query", "macs")
    assert out == "418121728\n"


def test_output_goes_to_a_file_and_nowhere_else(capsys: Capture, tmp_path: Path) -> None:
    code, out, _ = run(capsys, "analyze", LAYER, "-f", "json", "-o", str(tmp_path / "a.json"))
    assert (code, out) == (0, "")
    assert json.loads((tmp_path / "a.json").read_text())["totals"]["macs"] == 115_605_504


def test_exports_come_beside_the_report(capsys: Capture, tmp_path: Path) -> None:
    exports = [f"--export={form}={tmp_path / form}" for form in ("json", "csv", "markdown", "table")]
    _, out, _ = run(capsys, "analyze", LAYER, *exports)
    assert "conv1" in out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["csv", "json", "markdown", "table"]
    assert json.loads((tmp_path / "json").read_text())["layers"]


def test_a_query_can_go_to_a_file(capsys: Capture, tmp_path: Path) -> None:
    _, out, _ = run(capsys, "analyze", LAYER, "--query", "macs", "-o", str(tmp_path / "macs"))
    assert (out, (tmp_path / "macs").read_text()) == ("", "115605504\n")


@pytest.mark.parametrize(("form", "inside"), [("table", True), ("markdown", True), ("csv", False), ("json", False)])
def test_notes_stand_in_the_report_or_on_stderr(capsys: Capture, form: str, inside: bool) -> None:
    _, out, err = run(capsys, "analyze", LAYERS, "-f", form)
    assert ("note: " in err) is not inside
    assert ("independent" in out) is (inside or form == "json")


def test_quiet_keeps_stderr_empty(capsys: Capture) -> None:
    assert run(capsys, "analyze", LAYERS, "-f", "csv", "-q")[2] == ""


def test_colour_is_asked_for_or_left_out(capsys: Capture) -> None:
    assert "\x1b[" in run(capsys, "analyze", LAYER, "--color", "always")[1]
    assert "\x1b[" not in run(capsys, "analyze", LAYER, "--color", "auto")[1]
    assert "\x1b[" not in run(capsys, "analyze", LAYER, "--color", "never")[1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--depth", "2", "--by", "kind"], "--depth does not go with --by kind"),
        (["--by", "layers"], "--by is one of layer, kind, module"),
        (["--sort", "speed"], "'speed' is not a metric"),
        (["--top", "0"], "--top takes a whole number"),
        (["--unit", "gflops"], "--unit is one of macs, flops"),
        (["-f", "yaml"], "--format is one of table, json, csv, markdown"),
        (["--color", "sometimes"], "--color is one of"),
        (["--export", "json"], "is not FORMAT=FILE"),
        (["--export", "xml=a"], "--export is one of"),
        (["--query", "macs", "-f", "json"], "--query prints one value"),
        (["--input", "huge"], "is not a shape"),
        (["--dim", "batch"], "is not NAME=VALUE"),
        (["--dim", "n=1", "--dim", "n=2"], "--dim gives 'n' as 1 and as 2"),
        (["--input", "x=1x2", "--input", "x=1x3"], "--input gives 'x' twice"),
    ],
)
def test_a_wrong_option_is_one_error_one_hint_and_two(capsys: Capture, arguments: list[str], says: str) -> None:
    code, out, err = run(capsys, "analyze", LAYER, *arguments)
    lines = err.splitlines()
    assert (code, len(lines)) == (2, 2)
    assert lines[0].startswith("error: ")
    assert says in lines[0]
    assert lines[1].startswith("hint: ")
    assert out == "" or json.loads(out)["error"]


def test_two_reports_cannot_share_a_file(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "a"
    code, _, err = run(capsys, "analyze", LAYER, "-o", str(path), "--export", f"json={path}")
    assert code == 2
    assert "two reports would go to" in err
    assert not path.exists()


def test_a_file_that_cannot_be_read_leaves_no_report(capsys: Capture, tmp_path: Path) -> None:
    code, out, err = run(capsys, "analyze", str(tmp_path / "no.yaml"), "-o", str(tmp_path / "report"))
    assert (code, out) == (2, "")
    assert "no.yaml" in err
    assert list(tmp_path.iterdir()) == []
