"""Latency budgets of `convcost check`, with times made up; only the last test really measures."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import jsonschema
import pytest

from convcost.cli import main
from convcost.latency import INTERRUPTED, Measurement, OtherProcess, Protocol, Runnable, Setting, Workload
from convcost.targets import timed
from tests.latency.measurements import around, measurement
from tests.reports.test_json import closed, schema_named

Capture = pytest.CaptureFixture[str]
Clock = Callable[..., None]
NET = "layer: {type: conv, in_channels: 2, out_channels: 4, kernel: 3, input: [6, 6]}\n"
CONFIG = """\
models:
  - {name: net, spec: net.yaml}
budgets:
  - {model: net, macs: 1M, latency: {max: 20ms, warn: 15ms}}
  - {model: net, increase: {latency: "+5%"}, level: error}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in [name for name in os.environ if name.startswith(("CONVCOST_", "GITHUB_"))]:
        monkeypatch.delenv(name)
    (tmp_path / "net.yaml").write_text(NET)
    identity = ["-c", "user.name=n", "-c", "user.email=e@x.y"]
    for command in (["init", "-q"], ["add", "--all"], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *identity, *command], cwd=tmp_path, check=True)
    (tmp_path / "convcost.yaml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def takes(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets how many milliseconds a model takes now, and took before."""

    def set_times(now: float, before: float = 10.0) -> None:
        def measure(workloads: Mapping[str, Workload], setting: Setting, protocol: Protocol) -> dict[str, Measurement]:
            times = {"now": now, "before": before}
            return {name: measurement(around(times[name] / 1000)) for name in workloads}

        monkeypatch.setattr(timed, "measure", measure)

    return set_times


def verdicts(capsys: Capture, *arguments: str, code: int) -> dict[str, tuple[str, str | None]]:
    capsys.readouterr()
    assert main(["check", *arguments, "--format", "json"]) == code
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, closed(schema_named("verdicts-1")))
    return {each["subject"]: (each["status"], each["code"]) for each in document["verdicts"]}


def test_both_revisions_are_compared_and_the_config_decides_what_fails(
    project: Path, takes: Clock, capsys: Capture
) -> None:
    takes(now=10.1)
    same = verdicts(capsys, "--base-ref", "HEAD", code=0)
    assert same == {"macs": ("pass", None), "latency": ("pass", None), "increase of latency": ("pass", None)}
    takes(now=16)
    slower = verdicts(capsys, "--base-ref", "HEAD", code=1)
    assert slower["latency"] == ("warn", "CC105")
    assert slower["increase of latency"] == ("fail", "CC106")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["-o", "no/report"], "cannot write 'no/report'"),
        (["--update-baseline", "--baseline", "no/baseline.json"], "cannot write 'no/baseline.json'"),
        (["--update-baseline", "-o", "convcost-baseline-latency.json"], "a report would take the place of"),
        (["--ratchet", "--export", "json=./convcost.yaml"], "a report would take the place of 'convcost.yaml'"),
    ],
)
def test_where_nothing_can_be_written_nothing_is_measured(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, options: list[str], says: str
) -> None:
    def measure(*arguments: object) -> object:
        raise AssertionError("measured")

    monkeypatch.setattr(timed, "measure", measure)
    assert main(["check", *options]) == 2
    assert capsys.readouterr().err.startswith(f"error: {says}")
    assert not list(project.glob("*.json"))


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("threads: 0", "--threads takes a whole number of at least 1, not '0'"),
        ("max-time: soon", "--max-time takes seconds, not 'soon'"),
        ("headroom: 10", "--headroom takes a share such as 10%, not '10'"),
        ("runtime: tf", "--runtime is one of torch, onnxruntime, not 'tf'"),
        ("device: tpu", "--device is one of cpu, cuda, not 'tpu'"),
        ("headroom: some", "--headroom takes a share such as 10%, not 'some'"),
    ],
)
def test_a_setting_that_can_never_be_right_is_refused_where_nothing_uses_it(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, setting: str, says: str
) -> None:
    (project / "convcost.yaml").write_text(f"models: [{{spec: net.yaml}}]\nbudgets: [{{macs: 1M}}]\n{setting}\n")
    assert main(["check"]) == 2
    assert capsys.readouterr().err.startswith(f"error: convcost.yaml:3:1: {says}")
    (project / "convcost.yaml").write_text("models: [{spec: net.yaml}]\nbudgets: [{macs: 1M}]\n")
    name, _, value = setting.partition(": ")
    monkeypatch.setenv(f"CONVCOST_{name.upper().replace('-', '_')}", value)
    assert main(["check"]) == 2
    assert capsys.readouterr().err.startswith(f"error: environment CONVCOST_{name.upper().replace('-', '_')}: {says}")


def test_threads_that_another_machine_has_are_no_fault_where_nothing_is_measured(project: Path) -> None:
    text = "models: [{spec: net.yaml}]\nthreads: 99999\n"
    (project / "convcost.yaml").write_text(f"{text}budgets: [{{macs: 1M}}]\n")
    assert main(["check"]) == 0
    (project / "convcost.yaml").write_text(f"{text}budgets: [{{latency: 1s}}]\n")
    assert main(["check"]) == 2


def test_what_looks_slower_once_is_measured_anew_and_has_to_be_slower_again(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    now = iter([0.016, 0.016, 0.010])

    def measure(workloads: Mapping[str, Workload], setting: Setting, protocol: Protocol) -> dict[str, Measurement]:
        return {"before": measurement(around(0.010)), "now": measurement(around(next(now)))}

    monkeypatch.setattr(timed, "measure", measure)
    found = verdicts(capsys, "--base-ref", "HEAD", code=3)
    assert found["increase of latency"] == ("cannot_tell", "CC206")
    assert next(now, None) is None


def test_updating_stores_this_machines_times_beside_the_cost_baseline(
    project: Path, takes: Clock, capsys: Capture
) -> None:
    takes(now=10)
    assert verdicts(capsys, code=3)["increase of latency"] == ("cannot_tell", "CC203")
    assert main(["check", "--update-baseline", "-q"]) == 0
    assert "convcost-baseline-latency.json: net: new for this machine, latency 9." in capsys.readouterr().err
    assert "latency" not in (project / "convcost-baseline.json").read_text()
    assert verdicts(capsys, code=0)["increase of latency"] == ("pass", None)
    takes(now=12)
    assert verdicts(capsys, code=1)["increase of latency"] == ("fail", "CC106")
    assert main(["check", "--update-baseline", "-q"]) == 0
    assert "(+20 %)" in capsys.readouterr().err


def test_what_is_stored_is_the_middle_process_of_three(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    processes = iter([0.014, 0.010, 0.011])

    def measure(workloads: Mapping[str, Runnable], setting: Setting, protocol: Protocol) -> dict[str, Measurement]:
        assert all(isinstance(each, OtherProcess) for each in workloads.values())
        return {name: measurement(around(next(processes))) for name in workloads}

    monkeypatch.setattr(timed, "measure", measure)
    assert main(["check", "--update-baseline", "-q"]) == 0
    assert next(processes, None) is None
    stored = json.loads((project / "convcost-baseline-latency.json").read_text())["machines"][0]["models"]["net"]
    assert 10.5e6 < stored["p10_ns"] < 11.5e6
    processes = iter([0.011])
    assert verdicts(capsys, code=0)["increase of latency"] == ("pass", None)


def test_an_interrupt_among_the_processes_stores_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = iter([measurement(around(0.01)), INTERRUPTED])
    monkeypatch.setattr(timed, "measure", lambda workloads, *_: dict.fromkeys(workloads, next(found)))
    assert main(["check", "--update-baseline"]) == 130
    assert not list(project.glob("*.json"))


def test_times_of_another_machine_tell_nothing(project: Path, takes: Clock, capsys: Capture) -> None:
    takes(now=10)
    main(["check", "--update-baseline", "-q"])
    stored = project / "convcost-baseline-latency.json"
    document = json.loads(stored.read_text())
    document["machines"][0]["machine"]["processor"] = "Z80"
    stored.write_text(json.dumps(document))
    takes(now=99)
    assert verdicts(capsys, code=3)["increase of latency"] == ("cannot_tell", "CC207")
    (project / "convcost.yaml").write_text(CONFIG.replace("level: error", "level: warn"))
    assert verdicts(capsys, code=0)["increase of latency"] == ("warn", "CC207")
    assert main(["check"]) == 0
    assert "measured on another machine (processor: " in capsys.readouterr().out


def test_nothing_is_measured_unless_a_budget_asks_for_it(
    project: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(timed, "measure", fail)
    off = CONFIG.replace("level: error", "level: off").replace(", latency: {max: 20ms, warn: 15ms}", "")
    (project / "convcost.yaml").write_text(off)
    assert main(["check"]) == 0
    assert "latency" not in capsys.readouterr().out
    assert main(["check", "--threads", "2"]) == 2
    assert "--threads says how to measure latency, and no budget asks for it" in capsys.readouterr().err


def test_how_to_measure_may_stand_in_the_config(
    project: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Setting, Protocol]] = []

    def measure(workloads: Mapping[str, Workload], setting: Setting, protocol: Protocol) -> dict[str, Measurement]:
        seen.append((setting, protocol))
        return {name: measurement(around(0.01)) for name in workloads}

    monkeypatch.setattr(timed, "measure", measure)
    (project / "convcost.yaml").write_text(f"{CONFIG}threads: 4\nmax-time: 2.5\n")
    main(["check", "--base-ref", "HEAD", "--runtime", "onnxruntime"])
    (setting, protocol) = seen[0]
    assert (setting.threads, setting.runtime, protocol.max_time) == (4, "onnxruntime", 2.5)
    (project / "convcost.yaml").write_text(f"{CONFIG}threads: none\n")
    capsys.readouterr()
    assert main(["check"]) == 2
    assert capsys.readouterr().err.startswith("error: convcost.yaml:6:1: --threads")


def test_an_interrupt_leaves_the_report_and_accepts_nothing(
    project: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timed, "measure", lambda workloads, *_: dict.fromkeys(workloads, INTERRUPTED))
    assert main(["check", "--update-baseline"]) == 130
    assert "interrupted before its first sample" in capsys.readouterr().out
    assert not (project / "convcost-baseline.json").exists()


@pytest.mark.parametrize("name", ["table", "csv", "markdown", "github", "gitlab", "junit", "sarif"])
def test_every_format_tells_of_the_latency(project: Path, takes: Clock, capsys: Capture, name: str) -> None:
    takes(now=30)
    assert main(["check", "--base-ref", "HEAD", "--format", name]) == 1
    out = capsys.readouterr().out
    assert "latency" in out
    assert ("29.97 ms" in out) or ("2997" in out) or name == "csv"


def test_the_table_says_what_it_was_measured_with_and_how_to_accept_it(
    project: Path, takes: Clock, capsys: Capture
) -> None:
    takes(now=30)
    assert main(["check", "--base-ref", "HEAD"]) == 1
    out = capsys.readouterr().out
    assert "torch on a processor, 1 thread; 40 samples" in out
    assert "Machine   load 0.50" in out
    assert "slower, measured in turn with HEAD, 3 times (convcost.yaml:5:38)" in out
    assert "To accept the new latency, with 10 % to spare: latency: 33ms in convcost.yaml:4:43" in out


@pytest.mark.parametrize(
    ("option", "value", "says", "hint"),
    [
        ("--max", "latency=12m", "'m' could mean minutes or milliseconds", "write latency=12ms"),
        ("--max", "latency=12", "does not say of which unit", "write latency=12ms"),
        ("--max", "latency=12MB", "'MB' is not a unit of time", "write latency=12ms"),
        ("--max", "macs=12ms", "macs is a count, not a time", "write latency=12ms if you mean latency"),
        ("--max", "weight_bytes=3s", "weight_bytes is a number of bytes, not a time", "write latency=3s if"),
        ("--max", "latncy=1ms", "'latncy' is not a metric", "did you mean latency?"),
        ("--layer-max", "conv*:latency=1ms", "belongs to the whole model", "write --max latency=12ms"),
        ("--max-increase", "latency=5", "does not say growth of latency by what", "latency=+5% for a share"),
    ],
)
def test_a_time_says_its_unit_and_nothing_else_is_one(
    project: Path, capsys: Capture, option: str, value: str, says: str, hint: str
) -> None:
    assert main(["check", "net.yaml", option, value]) == 2
    error, said = capsys.readouterr().err.splitlines()
    assert says in error
    assert hint in said


def test_a_time_in_the_config_says_its_unit_too(project: Path, capsys: Capture) -> None:
    (project / "convcost.yaml").write_text(CONFIG.replace("max: 20ms", "max: 20"))
    assert main(["check"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "error: convcost.yaml:4:43: latency is a time, and the number does not say of which unit",
        "hint: write latency: 20ms",
    ]


@pytest.mark.parametrize(
    ("budget", "code"), [("latency: 1000s", 0), ("latency: 1ns", 0), ("latency: 1ns, level: error", 1)]
)
def test_a_model_is_really_measured(project: Path, capsys: Capture, budget: str, code: int) -> None:
    (project / "convcost.yaml").write_text(f"models: [{{name: net, spec: net.yaml}}]\nbudgets: [{{{budget}}}]\n")
    assert main(["check", "--max-time", "0.5", "--format", "json"]) == code
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, closed(schema_named("verdicts-1")))
    assert document["latency"]["runtime"] == "torch"
    assert document["verdicts"][0]["value"] > 0
