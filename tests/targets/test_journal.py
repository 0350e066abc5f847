"""What a long run notes, and what of that still holds when it goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from convcost.errors import SourceError, UsageError
from convcost.sources.request import InputSpec, Request
from convcost.targets import analysis_of
from convcost.targets.journal import SCHEMA, Journal

SPEC = "layer: {type: conv, in_channels: 8, out_channels: 8, kernel: 3, input: [9, 9]}\n"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "layer.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return path


@pytest.fixture
def journal(tmp_path: Path, model: Path) -> Path:
    """Of a run that has analyzed the model."""
    path = tmp_path / "run.jsonl"
    keep(path, model)
    return path


def keep(path: Path, model: Path) -> None:
    request = Request(target=str(model))
    with Journal(str(path), backward=False) as journal:
        journal.keep(journal.key(request), analysis_of(request))


def is_known(path: Path, request: Request, *, backward: bool = False) -> bool:
    with Journal(str(path), backward=backward) as journal:
        return journal.recall(journal.key(request)) is not None


def test_what_was_kept_is_recalled_as_it_was(journal: Path, model: Path) -> None:
    request = Request(target=str(model))
    with Journal(str(journal), backward=False) as again:
        found = again.recall(again.key(request))
    assert found is not None
    assert found.to_json() == analysis_of(request).to_json()


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model.write_text(SPEC.replace("3", "5"), encoding="utf-8"),
        lambda model: model.write_text(SPEC + "\n", encoding="utf-8"),
        lambda model: os.utime(model, (1, 1)),
        lambda model: model.unlink(),
    ],
    ids=["content", "size", "time", "gone"],
)
def test_a_file_that_has_changed_is_read_again(journal: Path, model: Path, change: Callable[[Path], object]) -> None:
    assert is_known(journal, Request(target=str(model)))
    change(model)
    assert not is_known(journal, Request(target=str(model)))


@pytest.mark.parametrize(
    "options",
    [{"inputs": (InputSpec(shape=(1, 3)),)}, {"dims": {"batch": 2}}, {"trust_pickle": True}],
    ids=lambda options: next(iter(options)),
)
def test_other_options_are_another_analysis(journal: Path, model: Path, options: dict[str, object]) -> None:
    assert not is_known(journal, Request(target=str(model), **options))  # type: ignore[arg-type]


def test_the_backward_pass_is_another_analysis(journal: Path, model: Path) -> None:
    assert not is_known(journal, Request(target=str(model)), backward=True)


def test_another_version_of_convcost_reads_again(journal: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convcost.targets.journal.__version__", "99.0")
    assert not is_known(journal, Request(target=str(model)))


@pytest.mark.parametrize("target", ["torchvision:resnet18", "net.py:build", "git:HEAD:layer.yaml", "-", "saved.json"])
def test_what_is_no_file_of_a_model_is_never_kept(tmp_path: Path, target: str) -> None:
    with Journal(str(tmp_path / "run.jsonl"), backward=False) as journal:
        assert journal.key(Request(target=target)) is None


@pytest.mark.parametrize("cut", [1, 30, 300])
def test_a_line_that_was_left_half_written_is_dropped_and_written_anew(journal: Path, model: Path, cut: int) -> None:
    whole = journal.read_bytes()
    journal.write_bytes(whole[:-cut])
    assert not is_known(journal, Request(target=str(model)))
    keep(journal, model)
    assert journal.read_bytes() == whole


def test_a_header_that_was_left_half_written_is_no_obstacle(tmp_path: Path, model: Path) -> None:
    path = tmp_path / "run.jsonl"
    keep(path, model)
    header = path.read_bytes().splitlines(keepends=True)[0]
    path.write_bytes(header[:-5])
    assert not is_known(path, Request(target=str(model)))
    assert path.read_bytes() == header


@pytest.mark.parametrize("content", ["layer: 1\n", "{}\n", '{"schema": "convcost/analysis/1"}\n', "no line at all"])
def test_a_file_that_is_something_else_is_left_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / "mine"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match="is no journal of convcost"):
        Journal(str(path), backward=False)
    assert path.read_text(encoding="utf-8") == content


@pytest.mark.parametrize("line", ["nonsense", "[]", '{"key": 1}'])
def test_a_line_that_is_no_entry_is_an_error(tmp_path: Path, line: str) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text(f"{json.dumps({'schema': SCHEMA})}\n{line}\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"run\.jsonl") as raised:
        Journal(str(path), backward=False)
    assert raised.value.hint == "the journal is damaged: delete it, and begin again"


def test_an_entry_that_was_changed_is_an_error_with_a_hint_of_its_own(journal: Path, model: Path) -> None:
    journal.write_bytes(journal.read_bytes().replace(b'"macs": ', b'"macs": 1', 1))
    with pytest.raises(SourceError, match="add up to") as raised:
        is_known(journal, Request(target=str(model)))
    assert raised.value.hint == "the journal is damaged: delete it, and begin again"


def test_two_runs_may_keep_one_journal(tmp_path: Path, model: Path) -> None:
    """Each sees what the other had written when it began, and neither cuts the other's lines."""
    path, request = tmp_path / "run.jsonl", Request(target=str(model))
    analysis = analysis_of(request)
    with Journal(str(path), backward=False) as one, Journal(str(path), backward=True) as other:
        one.keep(one.key(request), analysis)
        other.keep(other.key(request), analysis)
        with Journal(str(path), backward=False) as third:
            assert third.recall(third.key(request)) is not None
    header = path.read_bytes().splitlines(keepends=True)[0]
    path.write_bytes(header + path.read_bytes())
    assert is_known(path, request, backward=True)


def test_a_journal_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot keep a journal in"):
        Journal(str(tmp_path / "missing" / "run.jsonl"), backward=False)
