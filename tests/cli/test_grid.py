"""`convcost compare --grid`, as it is typed."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import jsonschema
import pytest

from convcost.cli import main
from tests.reports.test_json import closed, schema_named

Capture = pytest.CaptureFixture[str]
GRID = ("--grid", "kernel=1,3", "in_channels=6..24:6", "out_channels=8,16", "input=14", "groups=1,4")


def run(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    code = main(("compare", *arguments))
    out, err = capsys.readouterr()
    return code, out, err


def test_without_a_file_there_is_a_summary_and_no_rows(capsys: Capture) -> None:
    code, out, err = run(capsys, *GRID)
    assert (code, err) == (0, "")
    assert "32 configurations × 5 alternatives" in out
    assert "in_channels 6, 12, 18, 24" in out
    # 4 groups do not divide 6 and 18 channels, and a kernel of 1 cannot be split.
    assert "8 configurations are no layer: groups g does not divide M input and N output channels" in out
    assert "spatial_separable does not apply to 12: a 1×1 kernel is a point" in out
    assert "stride 1, padding 0, dilation 1, batch 1, bias true" in out


def test_the_summary_as_json_is_what_the_schema_describes(capsys: Capture) -> None:
    code, out, _ = run(capsys, *GRID, "-f", "json")
    document = json.loads(out)
    jsonschema.validate(document, closed(schema_named("grid-1")))
    assert code == 0
    assert (document["configurations"], document["layers"]) == (32, 24)
    standard = document["alternatives"][0]
    assert (standard["applies"], standard["ratio_macs"]) == (24, {"least": 1.0, "mean": 1.0, "most": 1.0})


def test_a_number_of_the_summary_can_be_asked_for_alone(capsys: Capture) -> None:
    assert run(capsys, *GRID, "--query", "alternatives.1.applies") == (0, "12\n", "")


def test_csv_has_a_row_for_every_layer_and_alternative(capsys: Capture) -> None:
    code, out, err = run(capsys, *GRID, "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert (code, len(rows)) == (0, 24 * 5)
    assert err == (
        "note: 120 rows of 24 layers; 8 configurations are no layer: "
        "groups g does not divide M input and N output channels\n"
    )
    assert list(rows[0]) == [
        *("kernel", "in_channels", "out_channels", "input", "groups", "alternative"),
        *("macs", "params", "activation_bytes", "bytes_moved", "reason"),
    ]


@pytest.mark.parametrize("arguments", [("-o", "{}"), ("-f", "csv", "-o", "{}"), ("--export", "csv={}")])
def test_the_name_of_a_file_or_the_format_says_that_rows_go_there(
    capsys: Capture, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    path = tmp_path / "grid.csv"
    code, out, _ = run(capsys, *GRID, *(argument.format(path) for argument in arguments))
    assert code == 0
    assert path.read_text(encoding="utf-8").count("\n") == 121
    assert ("Unbeaten" in out) == ("--export" in arguments)


def test_rows_and_summary_from_one_run(capsys: Capture, tmp_path: Path) -> None:
    rows, summary = tmp_path / "grid.csv", tmp_path / "grid.json"
    code, out, _ = run(capsys, *GRID, "-q", "-o", str(rows), "--export", f"json={summary}")
    assert (code, out) == (0, "")
    assert rows.exists()
    assert json.loads(summary.read_text(encoding="utf-8"))["schema"] == "convcost/grid/1"


def test_files_are_written_also_where_nobody_reads_stdout_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("convcost.cli.grid.write_stdout", lambda text: False)
    rows, summary = tmp_path / "grid.csv", tmp_path / "grid.json"
    code = main(("compare", *GRID, "-q", "-f", "csv", "--export", f"csv={rows}", "--export", f"json={summary}"))
    assert code == 0
    assert rows.read_text(encoding="utf-8").count("\n") == 121
    assert json.loads(summary.read_text(encoding="utf-8"))["layers"] == 24


def test_pareto_leaves_out_rows_that_another_alternative_beats(capsys: Capture) -> None:
    _, out, _ = run(capsys, *GRID, "-f", "csv", "--pareto")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert 0 < len(rows) < 120
    assert not [row for row in rows if row["reason"]]


def test_alternatives_are_those_asked_for(capsys: Capture) -> None:
    _, out, _ = run(capsys, *GRID, "-f", "json", "--alternatives", "tucker2,grouped[groups=2,groups=8]")
    names = [each["alternative"] for each in json.loads(out)["alternatives"]]
    assert names == ["tucker2", "grouped[groups=2]", "grouped[groups=8]"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("model.onnx",), "--grid takes NAME=VALUES, not 'model.onnx'"),
        (("--spec", "layer.yaml"), "--grid does not go with --spec"),
        (("--layer", "a*"), "--grid does not go with --layer, --kind and --min-kernel"),
        (("--devices", "2"), "--grid does not go with --devices"),
        (("--latency",), "--grid does not go with --latency and --device-file"),
        (("--input", "1x3x8x8"), "--grid does not go with --input and --dim"),
        (("--df", "middle"), "--df is one of output, input, not 'middle'"),
        (("--alternatives", "grouped[groups=all]"), "a grid takes no grouped[groups=all]"),
        (("--export", "xml=grid.xml"), "--export is one of"),
        (("-o", "missing/grid.csv"), "cannot write 'missing/grid.csv': No such file or directory"),
        (("-f", "csv", "-o", "-"), "'-' is not a file to write to"),
        (("-o", "a.csv", "--export", "csv=a.csv"), "two reports would go to 'a.csv'"),
        (("--export", "csv=a", "--export", "json=a"), "two reports would go to 'a'"),
    ],
)
def test_what_does_not_go_with_a_grid_is_said(capsys: Capture, arguments: tuple[str, ...], message: str) -> None:
    code, out, err = run(capsys, *GRID, *arguments)
    assert (code, out) == (2, "")
    assert f"error: {message}" in err
    assert err.count("\n") == 2


def test_a_grid_without_any_layer_is_an_error_and_leaves_no_file(capsys: Capture, tmp_path: Path) -> None:
    axes = ("kernel=5,7", "in_channels=3", "out_channels=8", "input=4")
    code, out, err = run(capsys, "--grid", *axes, "-o", str(tmp_path / "grid.csv"))
    assert (code, out, list(tmp_path.iterdir())) == (2, "", [])
    assert "no configuration of the grid is a layer: kernel of extent … is larger than the padded input of 4" in err


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("format_name", ["csv", "parquet"])
def test_counts_beyond_64_bits_end_in_an_error_and_no_file(capsys: Capture, tmp_path: Path, format_name: str) -> None:
    path = tmp_path / f"grid.{format_name}"
    axes = ("kernel=3", "in_channels=1,999999999", "out_channels=999999999", "input=999999999")
    code, _, err = run(capsys, "--grid", *axes, "-o", str(path))
    assert (code, list(tmp_path.iterdir())) == (2, [])
    assert "error: the grid's largest counts take more than 64 bits" in err


def test_rows_are_the_same_on_any_number_of_threads(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("convcost.grids.part.BLOCK", 5)
    alone, shared = tmp_path / "alone.csv", tmp_path / "shared.csv"
    monkeypatch.setattr("convcost.cli.grid.cores", lambda: 1)
    _, _, said = run(capsys, *GRID, "-o", str(alone))
    monkeypatch.setattr("convcost.cli.grid.cores", lambda: 3)
    assert run(capsys, *GRID, "-o", str(shared)) == (0, "", said)
    assert shared.read_bytes() == alone.read_bytes()
    whole = run(capsys, *GRID, "-f", "json")
    monkeypatch.setattr("convcost.grids.part.BLOCK", 1000)
    assert run(capsys, *GRID, "-f", "json")[1].splitlines()[:50] == whole[1].splitlines()[:50]
