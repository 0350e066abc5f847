"""`--latency` of commands that count; how long anything takes is not asserted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from convcost import latency
from convcost.alternatives import Comparison
from convcost.cli import main, measured
from convcost.latency import INTERRUPTED, CandidateLatencies, NotMeasurable, Setting, candidates

NETWORK = str(Path(__file__).parents[2] / "sample_configs" / "onnx" / "resnet18.onnx")
SMALL = "{type: conv, in_channels: 4, out_channels: 4, kernel: 3, padding: 1, input: [6, 6]}"

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def twins(tmp_path: Path) -> str:
    path = tmp_path / "twins.yaml"
    path.write_text(f"layers: [{SMALL}, {SMALL}]\n")
    return str(path)


def compared(capsys: Capture, *arguments: str, code: int = 0) -> dict[str, object]:
    timing = ("--latency", "--max-time", "0.1", "-f", "json")
    assert main(["compare", *arguments, *timing]) == code
    return json.loads(capsys.readouterr().out)


def test_every_alternative_of_a_comparison_is_measured(capsys: Capture, twins: str) -> None:
    layers = compared(capsys, twins)["layers"]
    found = [each["latency"] for layer in layers for each in layer["alternatives"]]
    assert len(found) == 10
    assert all(latency["runtime"] == "torch" and latency["median_ms"] > 0 for latency in found)


def test_equal_convolutions_are_measured_once(capsys: Capture, twins: str) -> None:
    first, second = compared(capsys, twins, "--alternatives", "grouped[groups=2]")["layers"]
    assert [each["latency"] for each in first["alternatives"]] == [each["latency"] for each in second["alternatives"]]
    assert main(["compare", twins, "--alternatives", "grouped[groups=2]", "--latency", "--max-time", "0.1"]) == 0
    assert "Equal convolutions on equal maps were measured once." in capsys.readouterr().out


def test_the_spatial_alternative_is_refused_rather_than_exhausting_memory(capsys: Capture, twins: str) -> None:
    chosen = ("--alternatives", "spatial_separable,grouped[groups=2]", "--max-bytes", "2kB")
    _, spatial, grouped = compared(capsys, twins, *chosen)["layers"][0]["alternatives"]
    assert (spatial["latency"], grouped["not_measured"]) == (None, None)
    assert spatial["not_measured"]["needed_bytes"] > 2000
    assert "running it needs" in spatial["verdict"]


def test_an_interrupt_begins_no_further_layer(capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    different = tmp_path / "different.yaml"
    different.write_text(f"layers: [{SMALL}, {SMALL.replace('[6, 6]', '[8, 8]')}]\n")
    calls = []

    def interrupted(layer: object, *arguments: object) -> object:
        calls.append(layer)
        raise KeyboardInterrupt

    monkeypatch.setattr(candidates, "measure_candidates", interrupted)
    document = compared(capsys, str(different), code=130)
    assert document["partial"] is True
    reasons = {each["not_measured"]["reason"] for each in document["layers"][1]["alternatives"]}
    assert reasons == {INTERRUPTED.reason}
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("target", "device", "expected"),
    [
        ("twins", "cpu", Setting(runtime="torch")),
        ("onnx", "cpu", Setting(runtime="onnxruntime")),
        ("twins", "cuda", Setting(runtime="torch", device="cuda", cold_cache=True)),
    ],
)
def test_single_layers_on_a_gpu_find_its_cache_cold(
    capsys: Capture, twins: str, monkeypatch: pytest.MonkeyPatch, target: str, device: str, expected: Setting
) -> None:
    settings = []

    def unmeasured(comparison: Comparison, setting: Setting, protocol: object) -> tuple[CandidateLatencies, ...]:
        settings.append(setting)
        return tuple(
            CandidateLatencies(layer=layer, standard=INTERRUPTED, candidates=(INTERRUPTED,) * len(layer.candidates))
            for layer in comparison.layers
        )

    monkeypatch.setattr(measured, "measure_comparison", unmeasured)
    compared(capsys, twins if target == "twins" else NETWORK, "--device", device, code=130)
    assert settings == [expected]


def analyzed(capsys: Capture, *arguments: str) -> dict[str, object]:
    assert main(["analyze", *arguments, "--latency", "--max-time", "0.1", "-f", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_times_of_layers_add_up_to_the_total(capsys: Capture, twins: str) -> None:
    document = analyzed(capsys, twins, "--runtime", "onnxruntime")
    layers = sum(layer["latency"]["median_ms"] for layer in document["layers"] if layer["latency"])
    total = document["latency"]["median_ms"]
    assert layers + document["layer_latency"]["unattributed_ms"] == pytest.approx(total)


def test_a_model_that_was_not_measured_is_an_error_after_the_report(capsys: Capture, twins: str) -> None:
    arguments = ("analyze", twins, "--latency", "--max-time", "0.1", "--max-bytes", "100B")
    assert main([*arguments, "-f", "json", "-q"]) == 2
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert (document["totals"]["macs"] > 0, document["latency"]) == (True, None)
    error, hint = err.splitlines()
    assert error.startswith(f"error: {twins}: not measured: running it needs ")
    assert hint == "hint: --max-bytes sets how much memory it may take"


def test_layers_without_times_are_a_note_and_under_strict_an_error(
    capsys: Capture, twins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measured, "measure_layers", lambda *arguments: NotMeasurable(reason="no profile"))
    arguments = ("analyze", twins, "--latency", "--max-time", "0.1")
    assert main([*arguments]) == 0
    assert "no time per layer: no profile" in capsys.readouterr().out
    assert main([*arguments, "--strict"]) == 2
    assert f"error: {twins}, layer by layer: not measured: no profile" in capsys.readouterr().err


def test_an_alternative_that_was_not_measured_is_an_error_under_strict(capsys: Capture, twins: str) -> None:
    arguments = (twins, "--alternatives", "spatial_separable,grouped[groups=2]", "--max-bytes", "2kB")
    compared(capsys, *arguments, code=0)
    assert main(["compare", *arguments, "--latency", "--max-time", "0.1", "--strict"]) == 2
    assert "error: conv1 as spatial-separable: not measured: running it needs" in capsys.readouterr().err


def test_a_comparison_of_which_nothing_was_measured_is_an_error(capsys: Capture, twins: str) -> None:
    assert main(["compare", twins, "--latency", "--max-bytes", "1B"]) == 2
    out, err = capsys.readouterr()
    assert "standard" in out
    assert "error: conv1 as standard: not measured: running it needs" in err
    assert ", and " in err


@pytest.mark.parametrize("command", [("measure",), ("analyze", "--latency"), ("compare", "--latency")], ids=" ".join)
@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("--output={}/no/report", "cannot write '{}/no/report': No such file or directory"),
        ("--output={}", "cannot write '{}': Is a directory"),
        ("--export=csv", "--export 'csv' is not FORMAT=FILE"),
    ],
)
def test_a_report_that_cannot_be_written_is_refused_before_measuring(
    capsys: Capture,
    twins: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    option: str,
    says: str,
) -> None:
    def measure(*arguments: object) -> object:
        raise AssertionError("measured")

    for place, name in ((measured, "measure"), (measured, "measure_comparison"), (latency, "measure")):
        monkeypatch.setattr(place, name, measure)
    assert main([*command, twins, option.format(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"error: {says.format(tmp_path)}")
    assert [each.name for each in tmp_path.iterdir()] == ["twins.yaml"]


def test_a_measured_report_can_be_compared_with_another(capsys: Capture, twins: str, tmp_path: Path) -> None:
    saved = str(tmp_path / "saved.json")
    assert main(["analyze", twins, "--latency", "--max-time", "0.1", "-f", "json", "-o", saved]) == 0
    assert main(["diff", saved, twins]) == 0


def test_after_an_interrupt_the_others_are_only_counted(
    capsys: Capture, twins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measured, "measure", lambda *arguments: {"": INTERRUPTED})
    assert main(["analyze", twins, twins, "--latency", "-f", "json"]) == 130
    first, second = json.loads(capsys.readouterr().out)["analyses"]
    assert (first["partial"], second["latency"]) == (True, None)
    assert second["totals"]["macs"] == first["totals"]["macs"] > 0


@pytest.mark.parametrize("report", ["--sweep=batch=1,2", "--cross-check=fvcore"])
@pytest.mark.parametrize("option", ["--latency", "--device-file=here.yaml"])
def test_reports_that_only_count_measure_nothing(capsys: Capture, twins: str, report: str, option: str) -> None:
    assert main(["analyze", twins, report, option]) == 2
    first, hint = capsys.readouterr().err.splitlines()
    assert first == f"error: {report.partition('=')[0]} counts, and measures nothing"
    assert hint == f"hint: leave out {option.partition('=')[0]}"


@pytest.mark.parametrize("option", ["--runtime=torch", "--device=cpu", "--threads=2", "--compile", "--max-time=1"])
def test_how_to_measure_is_said_only_where_something_is_measured(capsys: Capture, twins: str, option: str) -> None:
    assert main(["compare", twins, option]) == 2
    assert f"error: {option.partition('=')[0]} says how to measure latency" in capsys.readouterr().err
