"""A model measured beside what it was: which two are run together, and what is said where one cannot be."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

import convcost
from convcost import latency
from convcost.errors import MissingDependencyError
from convcost.latency import (
    Measurement,
    NotMeasurable,
    OnnxFile,
    OtherProcess,
    Protocol,
    Runnable,
    Setting,
    Workload,
)
from convcost.latency.workload import graph_of
from convcost.sources.request import Request
from convcost.targets import timed
from convcost.targets.git import Revision, file_at
from convcost.targets.timed import measure_beside
from tests.latency.measurements import around, measurement

SPEC = "layer: {type: conv, in_channels: 2, out_channels: %d, kernel: 3, input: [6, 6]}\n"


def commit_all(folder: Path) -> None:
    identity = ["-c", "user.name=n", "-c", "user.email=e@x.y"]
    for command in (["add", "--all"], ["commit", "-q", "-m", "a commit"]):
        subprocess.run(["git", *identity, *command], cwd=folder, check=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A committed model of four channels, and the same file with eight."""
    (tmp_path / "net.yaml").write_text(SPEC % 4)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    commit_all(tmp_path)
    (tmp_path / "net.yaml").write_text(SPEC % 8)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, int], Setting]]:
    """What was measured together: the MACs of each by name, and how; nothing is really run."""
    seen: list[tuple[dict[str, int], Setting]] = []

    def measure(workloads: Mapping[str, Workload], setting: Setting, protocol: Protocol) -> dict[str, Measurement]:
        macs = {name: sum(node.cost.macs for node in graph_of(each).nodes) for name, each in workloads.items()}
        seen.append((macs, setting))
        return {name: measurement(around(0.01)) for name in workloads}

    monkeypatch.setattr(timed, "measure", measure)
    return seen


def beside(now: str, before: str | None) -> timed.Timed:
    requests = [Request(target=target) if target else None for target in (now, before)]
    assert requests[0] is not None
    return measure_beside(requests[0], requests[1], lambda runtime: Setting(runtime=runtime), Protocol())


def test_a_revision_is_measured_in_turn_with_the_working_tree(
    repository: Path, runs: list[tuple[dict[str, int], Setting]]
) -> None:
    found = beside("net.yaml", "git:HEAD:net.yaml")
    macs = 9 * 2 * 4 * 16
    assert runs == [({"now": 2 * macs, "before": macs}, Setting(runtime="torch"))]
    assert isinstance(found.before, Measurement)
    assert not found.interrupted


def test_without_a_revision_the_model_is_measured_alone(
    repository: Path, runs: list[tuple[dict[str, int], Setting]]
) -> None:
    assert beside("net.yaml", None).before is None
    assert [list(macs) for macs, _ in runs] == [["now"]]


def test_what_is_new_since_the_revision_is_measured_all_the_same(
    repository: Path, runs: list[tuple[dict[str, int], Setting]]
) -> None:
    (repository / "new.yaml").write_text(SPEC % 4)
    found = beside("new.yaml", "git:HEAD:new.yaml")
    assert isinstance(found.now, Measurement)
    assert isinstance(found.before, NotMeasurable)
    assert "new.yaml does not exist at 'HEAD'" in found.before.reason


def test_what_cannot_be_run_says_why(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "report.json").write_text("{}")
    saved = beside("report.json", None)
    assert isinstance(saved.now, NotMeasurable)
    assert "report.json cannot be run" in saved.now.reason

    def without_runtime(*_: object) -> None:
        raise MissingDependencyError("measuring with torch needs it installed", hint="pip install torch")

    monkeypatch.setattr(timed, "measure", without_runtime)
    missing = beside("net.yaml", None)
    assert missing.now == NotMeasurable(reason="measuring with torch needs it installed (pip install torch)")


def test_the_code_of_two_revisions_runs_in_two_processes(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "net.py").write_text("before")
    commit_all(repository)
    (repository / "net.py").write_text("now")
    code: dict[str, str] = {}

    def measure(workloads: Mapping[str, Runnable], *_: object) -> dict[str, Measurement]:
        for name, each in workloads.items():
            assert isinstance(each, OtherProcess)
            assert json.loads(each.command[-1])["target"] == "net.py:build"
            code[name] = (Path(each.folder) / "net.py").read_text()
            assert str(Path(convcost.__file__).parents[1]) in each.environment["PYTHONPATH"].split(os.pathsep)
        return {name: measurement(around(0.01)) for name in workloads}

    monkeypatch.setattr(timed, "measure", measure)
    assert isinstance(beside("net.py:build", "git:HEAD:net.py:build").before, Measurement)
    assert code == {"now": "now", "before": "before"}


def test_a_process_of_its_own_really_measures(repository: Path) -> None:
    here = timed.process_here(Request(target="net.yaml"))
    quick = Protocol(warm_up=0.005, min_time=0.01, max_time=0.2)
    (found,) = latency.measure({"": here}, Setting(runtime="onnxruntime"), quick).values()
    assert isinstance(found, Measurement)
    assert found.samples.first_run is not None
    assert min(found.samples.times) > 0


def test_the_copy_of_a_revisions_file_is_gone_afterwards(repository: Path) -> None:
    with file_at(Revision.of("HEAD"), "net.yaml") as copy:
        assert Path(copy).read_text() == SPEC % 4
    assert not Path(copy).exists()


def test_a_file_of_its_own_format_runs_in_its_own_runtime(
    repository: Path, runs: list[tuple[dict[str, int], Setting]], monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = graph_of(timed.workload_of(Request(target="net.yaml")))
    monkeypatch.setattr(timed, "workload_of", lambda request: OnnxFile(path=request.target, graph=graph))
    beside("net.onnx", None)
    assert [setting.runtime for _, setting in runs] == ["onnxruntime"]


@pytest.mark.parametrize(("target", "runtime"), [("net.yaml", "torch"), ("net.onnx", "onnxruntime")])
def test_apart_a_model_runs_in_a_process_of_its_own_in_the_same_runtime(
    repository: Path, monkeypatch: pytest.MonkeyPatch, target: str, runtime: str
) -> None:
    def measure(workloads: Mapping[str, Runnable], setting: Setting, *_: object) -> dict[str, Measurement]:
        assert all(isinstance(each, OtherProcess) for each in workloads.values())
        assert setting.runtime == runtime
        return {name: measurement(around(0.01)) for name in workloads}

    monkeypatch.setattr(timed, "measure", measure)
    found = measure_beside(
        Request(target=target), None, lambda runtime: Setting(runtime=runtime), Protocol(), apart=True
    )
    assert isinstance(found.now, Measurement)
