"""Saved reports, revisions, and many targets at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import convcost
from convcost.errors import ConvcostError, SourceError, UsageError
from convcost.sources.request import InputSpec, Request
from convcost.targets import analyses_of, analysis_of
from convcost.targets.git import is_file
from convcost.targets.saved import read_saved

ROOT = Path(__file__).parents[2]
FACTORY = """\
import torch
from widths import WIDTH

def build(depth=1):
    return torch.nn.Sequential(*(torch.nn.Linear(4, 4) for _ in range(depth)), torch.nn.Linear(4, WIDTH))
"""
LAYERS = "layers: [{type: conv, in_channels: %d, out_channels: 8, kernel: 3, input: [9, 9]}]\n"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("sub").mkdir()
    Path("net.py").write_text(FACTORY)
    Path("widths.py").write_text("WIDTH = 8\n")
    Path("sub/layers.yaml").write_text(LAYERS % 8)
    subprocess.run(["git", "init", "-q"], check=True)
    commit_all()
    return tmp_path


def commit_all() -> None:
    identity = ["-c", "user.name=n", "-c", "user.email=e@x.y"]
    for command in (["add", "--all"], ["commit", "-q", "-m", "a commit"]):
        subprocess.run(["git", *identity, *command], check=True)


def test_a_factory_at_a_revision_sees_that_revisions_modules(repository: Path) -> None:
    Path("widths.py").write_text("WIDTH = 100\n")
    request = Request(target="git:HEAD:net.py:build?depth=2", inputs=(InputSpec(shape=(1, 4)),))
    analysis = analysis_of(request)
    assert (analysis.target, analysis.totals.macs) == (request.target, 16 + 16 + 32)


def test_a_factory_at_a_revision_is_found_in_that_revisions_search_path(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "heights.py").write_text("HEIGHT = 4\n")
    Path("sub/nets").mkdir()
    Path("sub/nets/tall.py").write_text(
        FACTORY.replace("4, 4", "4, HEIGHT").replace("from widths", "from heights import HEIGHT\nfrom widths")
    )
    commit_all()
    Path("sub/nets/tall.py").write_text("raise SystemExit('the code of today')\n")
    request = Request(
        target="git:HEAD:tall:build", inputs=(InputSpec(shape=(1, 4)),), pythonpath=("sub/nets", str(outside))
    )
    assert analysis_of(request).totals.macs == 16 + 32


def test_a_factory_at_a_revision_is_found_from_a_folder_further_down(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("sub/nets").mkdir()
    Path("sub/nets/tall.py").write_text(FACTORY)
    commit_all()
    Path("widths.py").write_text("WIDTH = 100\n")
    monkeypatch.chdir(repository / "sub")
    inputs = (InputSpec(shape=(1, 4)),)
    assert analysis_of(Request(target="git:HEAD:nets/tall.py:build", inputs=inputs)).totals.macs == 16 + 32
    by_name = Request(target="git:HEAD:tall:build", inputs=inputs, pythonpath=("nets",))
    assert analysis_of(by_name).totals.macs == 16 + 32


def test_a_folder_that_the_revision_does_not_have_is_not_searched_as_it_is_today(repository: Path) -> None:
    Path("new").mkdir()
    Path("new/late.py").write_text(FACTORY)
    with pytest.raises(SourceError, match="there is no module 'late'"):
        analysis_of(Request(target="git:HEAD:late:build", pythonpath=("new",)))


def test_what_a_factory_at_a_revision_says_is_passed_on(repository: Path) -> None:
    with pytest.raises(SourceError, match="has no 'gone'"):
        analysis_of(Request(target="git:HEAD:net.py:gone"))


def test_a_path_at_a_revision_is_relative_to_where_we_are(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository / "sub")
    assert analysis_of(Request(target="git:HEAD:layers.yaml")).totals.macs == 8 * 8 * 9 * 49
    assert analysis_of(Request(target="git:HEAD:./layers.yaml")).totals.macs == 8 * 8 * 9 * 49


def test_a_mistake_at_a_revision_is_named_by_the_revision_and_not_by_a_copy(repository: Path) -> None:
    Path("bad.yaml").write_text("layers: 3\n")
    commit_all()
    with pytest.raises(ConvcostError) as caught:
        analysis_of(Request(target="git:HEAD:bad.yaml"))
    assert caught.value.message.startswith("git:HEAD:bad.yaml:1:9: ")


@pytest.mark.parametrize("target", ["a/net.onnx.gz", "net.yaml", "net.json", "net.pt2", "net.pth"])
def test_a_file_of_a_revision_is_taken_out_alone(target: str) -> None:
    assert is_file(target)


@pytest.mark.parametrize("target", ["hf:bert/config.json", "net.py:build", "net.py:build?weights=net.pt"])
def test_what_needs_code_of_a_revision_is_run_in_its_tree(target: str) -> None:
    assert not is_file(target)


@pytest.mark.parametrize("name", ["net.yaml", "net.onnx", "net.onnx.gz", "net.json", "net.pt"])
def test_arguments_of_a_factory_may_be_names_of_files(tmp_path: Path, name: str) -> None:
    factory = tmp_path / "net.py"
    factory.write_text("import torch\ndef build(config): return torch.nn.Linear(len(config), 3)\n")
    request = Request(target=f"{factory}:build?config={name}", inputs=(InputSpec(shape=(1, len(name))),))
    assert analysis_of(request).totals.macs == 3 * len(name)


def test_without_a_repository_there_is_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match="git knows no revision"):
        analysis_of(Request(target="git:HEAD:net.yaml"))


def test_a_saved_report_keeps_its_inputs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a saved report"):
        analysis_of(Request(target="old.json", dims={"batch": 2}))


def test_python_takes_saved_reports_and_tells_models_apart(repository: Path) -> None:
    Path("old.json").write_text(json.dumps(convcost.analyze("sub/layers.yaml").to_json()))
    Path("sub/layers.yaml").write_text(LAYERS % 16)
    found = convcost.diff("old.json", "sub/layers.yaml")
    assert [change.change for change in found.changes] == ["changed"]
    assert not convcost.diff("old.json", "old.json")


def test_many_targets_come_back_in_order_from_several_processes(repository: Path) -> None:
    for at in range(1, 13):
        Path(f"l{at}.yaml").write_text(LAYERS % at)
    found = analyses_of([Request(target=f"l{at}.yaml") for at in range(1, 13)])
    assert [analysis.totals.macs for analysis in found] == [at * 8 * 9 * 49 for at in range(1, 13)]


def test_the_first_target_in_order_that_cannot_be_read_is_the_error(repository: Path) -> None:
    requests = [Request(target=name) for name in ("sub/layers.yaml", "a.yaml", "sub/layers.yaml", "b.yaml")] * 3
    with pytest.raises(SourceError, match=r"a\.yaml") as caught:
        analyses_of(requests)
    assert caught.value.hint


SHARED = """
import os, sys, time
from convcost.sources.request import Request
from convcost.targets import several

def slow(request, *, backward):
    time.sleep(0.05)
    return (request.target, os.getpid())

several.analysis_of = slow
several.cores = lambda: 2
found = several.analyses_of([Request(target=f"{at}.onnx") for at in range(12)])
assert [name for name, _ in found] == [f"{at}.onnx" for at in range(12)]
print(len({pid for _, pid in found[1:]}))
"""


def test_two_cores_share_the_files() -> None:
    run = subprocess.run([sys.executable, "-c", SHARED], capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout.strip() == "2"


def test_a_saved_report_of_any_length_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convcost.targets.saved.MAX_FILE_BYTES", 10)
    (tmp_path / "long.json").write_text("[1, 2, 3, 4]")
    with pytest.raises(SourceError, match="larger than 10 bytes"):
        read_saved(str(tmp_path / "long.json"))
