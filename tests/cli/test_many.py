"""`convcost analyze` of many targets and folders, as it is typed."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from convcost import processes
from convcost.analysis import Analysis
from convcost.cli import main
from convcost.sources.request import Request
from convcost.targets import several

SPEC = "layer: {{type: conv, in_channels: {0}, out_channels: 8, kernel: 3, input: [9, 9]}}\n"
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five specs and a file that is none, the third in order."""
    models = tmp_path / "models"
    models.mkdir()
    for number in (1, 2, 4, 5, 6):
        (models / f"{number}.yaml").write_text(SPEC.format(number), encoding="utf-8")
    (models / "3.onnx").write_text("no model", encoding="utf-8")
    return models


def run(capsys: Capture, *arguments: object) -> tuple[int, str, str]:
    code = main(("analyze", *map(str, arguments)))
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("jobs", [1, 4])
def test_a_bad_file_is_reported_and_ends_no_other(
    capsys: Capture, folder: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    monkeypatch.setattr(processes, "may_fork", lambda: True)
    code, out, err = run(capsys, folder, "-f", "json", "--jobs", jobs)
    document = json.loads(out)
    assert code == 2
    assert [Path(each["source"]["target"]).stem for each in document["analyses"]] == ["1", "2", "4", "5", "6"]
    assert [Path(each["target"]).name for each in document["failures"]] == ["3.onnx"]
    assert err.count("error: ") == 1
    assert f"error: {folder}/3.onnx: a text file, not an ONNX model" in err


def test_all_good_is_exit_code_0(capsys: Capture, folder: Path) -> None:
    (folder / "3.onnx").unlink()
    code, out, err = run(capsys, folder, "--query", "macs")
    assert (code, err) == (0, "")
    assert out.split() == [str(number * 8 * 9 * 49) for number in (1, 2, 4, 5, 6)]


def test_a_line_break_in_the_name_of_a_file_keeps_nothing_from_being_read(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "two\nlines.yaml").write_text(SPEC.format(1), encoding="utf-8")
    code, out, _ = run(capsys, tmp_path, "-f", "table")
    assert code == 0
    assert "two\\x0alines.yaml" in out


@pytest.mark.parametrize("form", ["table", "csv", "markdown", "json"])
def test_a_run_that_goes_on_says_the_same_as_one_that_was_not_cut_off(capsys: Capture, folder: Path, form: str) -> None:
    journal = folder.parent / "run.jsonl"
    expected = run(capsys, folder, "-f", form)
    assert run(capsys, folder, "-f", form, "--resume", journal) == expected
    # As if it had been killed while it wrote the third of its five results.
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:3]) + lines[3][:-40])
    assert run(capsys, folder, "-f", form, "--resume", journal) == expected
    assert sorted(journal.read_bytes().splitlines(keepends=True)) == sorted(lines)


def test_what_is_noted_is_not_read_again(capsys: Capture, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, original = folder.parent / "run.jsonl", several.analysis_of
    read: list[Request] = []

    def noticed(request: Request, *, backward: bool) -> Analysis:
        read.append(request)
        return original(request, backward=backward)

    run(capsys, folder, "--resume", journal)
    monkeypatch.setattr(several, "analysis_of", noticed)
    run(capsys, folder, "--resume", journal)
    assert [Path(request.target).name for request in read] == ["3.onnx"]
    run(capsys, folder, "--resume", journal, "--backward")
    assert len(read) == 1 + 6


def test_files_are_whole_and_hold_all_models(capsys: Capture, folder: Path) -> None:
    table, rows = folder.parent / "out.json", folder.parent / "out.csv"
    code, out, _ = run(capsys, folder, "-f", "json", "-o", table, "--export", f"csv={rows}")
    assert (code, out) == (2, "")
    assert len(json.loads(table.read_text(encoding="utf-8"))["analyses"]) == 5
    found = list(csv.DictReader(io.StringIO(rows.read_text(encoding="utf-8"))))
    assert [Path(row["target"]).stem for row in found] == ["1", "2", "4", "5", "6"]


def test_the_traceback_of_a_bad_file_is_there_when_asked_for(capsys: Capture, folder: Path) -> None:
    _, _, err = run(capsys, folder, "-v")
    assert "Traceback" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--jobs", "0"), "--jobs takes a whole number of at least 1, not '0'"),
        (("--resume", "missing/run.jsonl"), "cannot keep a journal in 'missing/run.jsonl'"),
        (("-o", "same", "--export", "csv=same"), "two reports would go to 'same'"),
        (("--query", "totals.max"), "--query finds no 'max' in totals"),
    ],
)
def test_what_concerns_all_ends_the_run(
    capsys: Capture, folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    code, out, err = run(capsys, folder, *arguments)
    assert (code, out) == (2, "")
    assert f"error: {message}" in err


def test_a_wrong_number_of_jobs_is_an_error_for_a_single_file_too(capsys: Capture) -> None:
    code, out, err = run(capsys, "a.onnx", "--jobs", "x")
    assert (code, out) == (2, "")
    assert "error: --jobs takes a whole number of at least 1, not 'x'" in err


@pytest.mark.parametrize("report", [("--latency",), ("--sweep", "batch=1,2"), ("--convention", "thop")])
@pytest.mark.parametrize("option", ["--jobs", "--resume"])
def test_what_does_not_count_many_files_says_so(capsys: Capture, report: tuple[str, ...], option: str) -> None:
    code, out, err = run(capsys, "a.onnx", *report, option, "2")
    assert (code, out) == (2, "")
    assert f"error: {report[0]} goes with neither --jobs nor --resume" in err
