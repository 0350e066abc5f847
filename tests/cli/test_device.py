"""`convcost device` and `--device-file`, as they are typed; how fast anything is is not asserted."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from convcost.cli import main
from convcost.cli.stored_device import STORED
from convcost.graph import DType
from convcost.latency import (
    INTERRUPTED,
    Device,
    Fingerprint,
    calibration,
    device_text,
    machine_fingerprint,
    read_device,
)
from convcost.latency.protocol import Samples
from tests.reports.test_json import closed, schema_named

SAMPLES = Path(__file__).parents[2] / "sample_configs"
LAYER = str(SAMPLES / "layer.yaml")
TINY = "layer: {type: conv, in_channels: 2, out_channels: 4, kernel: 3, input: [6, 6]}\n"
A100 = str(SAMPLES / "devices" / "nvidia-a100-80gb-sxm.yaml")

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Products so small that measuring them is quick."""
    monkeypatch.setattr(calibration, "_SIDE", {"cpu": 16})


def test_the_machine_is_measured_and_stored(capsys: Capture, tmp_path: Path, small: None) -> None:
    path = str(tmp_path / "here.yaml")
    assert main(["device", "--max-time", "0.4", "--threads", "1", "--save", path, "-f", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, closed(schema_named("device-1")))
    stored = read_device(path)
    assert (document["name"], document["saved"], document["threads"]) == (stored.name, path, 1)
    assert document["gigabytes_per_second"] == pytest.approx(stored.bytes_per_second / 1e9, abs=1e-3)
    assert main(["analyze", LAYER, "--device-file", path]) == 0
    assert "Roofline" in capsys.readouterr().out


def test_people_are_told_the_peaks(capsys: Capture, tmp_path: Path, small: None) -> None:
    assert main(["device", "--max-time", "0.4", "--save", str(tmp_path / "here.yaml")]) == 0
    text = capsys.readouterr().out
    assert "float32" in text
    assert "GB/s" in text
    assert f"Stored in  {tmp_path / 'here.yaml'}" in text


def test_half_a_measurement_is_not_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> object:
        return {"product": INTERRUPTED}

    monkeypatch.setattr(calibration, "measure", interrupted)
    path = tmp_path / "here.yaml"
    assert main(["device", "--save", str(path)]) == 130
    assert not path.exists()


def test_without_time_for_it_the_memory_is_named(
    capsys: Capture, tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = Samples(first_run=1.0)
    monkeypatch.setattr(calibration, "take_samples", lambda *arguments: (nothing,))
    assert main(["device", "--max-time", "0.1", "--save", str(tmp_path / "here.yaml")]) == 2
    assert "no time to measure the memory" in capsys.readouterr().err


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which every measurement fails the test."""

    def measure(*arguments: object) -> object:
        raise AssertionError("measured")

    monkeypatch.setattr(calibration, "measure", measure)


def test_a_folder_that_is_not_there_is_named_before_measuring(
    capsys: Capture, tmp_path: Path, unmeasured: None
) -> None:
    assert main(["device", "--save", str(tmp_path / "no" / "here.yaml")]) == 2
    assert "hint: make the folder first: mkdir -p" in capsys.readouterr().err


@pytest.mark.parametrize("options", [["-o", STORED], ["--export", f"json=x/../{STORED}"]])
def test_no_report_takes_the_place_of_the_device_file(
    capsys: Capture, tmp_path: Path, unmeasured: None, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x").mkdir()
    assert main(["device", *options]) == 2
    assert "error: a report would take the place of '" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("command", ["analyze", "compare"])
def test_a_device_file_needs_no_measurement(capsys: Capture, command: str) -> None:
    assert main([command, LAYER, "--device-file", A100]) == 0
    text = capsys.readouterr().out
    assert "NVIDIA A100 80 GB SXM" in text
    assert "compute" in text


def test_a_device_file_and_latency_go_together(capsys: Capture) -> None:
    arguments = ["--latency", "--max-time", "0.1", "--device-file", A100, "-f", "json"]
    assert main(["analyze", LAYER, *arguments]) == 0
    (layer,) = json.loads(capsys.readouterr().out)["layers"]
    assert layer["latency"]["median_ms"] > layer["roofline"]["attainable_ms"] > 0
    assert main(["compare", LAYER, "--alternatives", "grouped", *arguments]) == 0
    grouped = json.loads(capsys.readouterr().out)["layers"][0]["alternatives"][1]
    assert grouped["latency"]["median_ms"] > grouped["roofline"]["attainable_ms"] > 0


@pytest.mark.parametrize("command", ["analyze", "compare"])
def test_a_file_that_is_no_device_is_refused(capsys: Capture, command: str) -> None:
    assert main([command, LAYER, "--device-file", LAYER]) == 2
    assert "a device file" in capsys.readouterr().err


def store_device(machine: Fingerprint | None) -> None:
    """A device file where `convcost device` stores it, in the folder we are in."""
    peaks = {DType.FLOAT32: 1e11}
    device = Device(name="here", peaks=peaks, bytes_per_second=1e10, source="a test", machine=machine)
    Path(STORED).write_text(device_text(device), encoding="utf-8")


@pytest.mark.parametrize("command", ["analyze", "compare"])
@pytest.mark.parametrize("runtime", ["torch", "onnxruntime"])
def test_the_stored_device_of_this_machine_is_used_and_named(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, runtime: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)
    store_device(machine_fingerprint("torch"))
    timing = ["--latency", "--max-time", "0.1", "--runtime", runtime]
    assert main([command, "tiny.yaml", *timing, "-f", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["device"]["source"] == f"a test, stored in {STORED}"


@pytest.mark.parametrize(
    ("machine", "says"),
    [(machine_fingerprint("torch", threads=7), "threads: 1, was 7"), (None, "does not say on which machine")],
)
def test_the_stored_device_of_another_machine_is_not_used_and_that_is_said(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: Fingerprint | None, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(TINY)
    store_device(machine)
    timing = ["--latency", "--max-time", "0.1"]
    assert main(["analyze", "tiny.yaml", *timing, "-f", "json"]) == 0
    told = capsys.readouterr()
    assert "device" not in json.loads(told.out)
    assert f"note: {STORED} is not used: " in told.err
    assert says in told.err
    assert main(["analyze", "tiny.yaml", *timing, "-q", "--device-file", A100]) == 0
    told = capsys.readouterr()
    assert "NVIDIA A100" in told.out
    assert STORED not in told.err


def test_without_latency_a_stored_device_is_not_looked_for(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(STORED).write_text("not a device file")
    assert main(["analyze", LAYER]) == 0
    assert main(["analyze", LAYER, "--latency"]) == 2
    assert STORED in capsys.readouterr().err
