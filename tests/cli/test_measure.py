"""`convcost measure`, as it is typed; how long anything takes is not asserted."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import onnx
import pytest
import torch

from convcost import latency
from convcost.cli import main
from tests.reports.test_json import closed, schema_named

ROOT = Path(__file__).parents[2]
NETWORK = str(ROOT / "sample_configs" / "onnx" / "mobilenet_v2.onnx")

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    path = tmp_path / "tiny.yaml"
    path.write_text("layer: {type: conv, in_channels: 2, out_channels: 4, kernel: 3, input: [6, 6]}\n")
    return str(path)


def measured(capsys: Capture, *arguments: str) -> dict[str, object]:
    assert main(["measure", *arguments, "--max-time", "0.1", "-f", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, closed(schema_named("measurement-1")))
    return document


def test_a_spec_is_measured_in_torch_with_one_thread(capsys: Capture, tiny: str) -> None:
    found = measured(capsys, tiny)["latency"]
    assert (found["runtime"], found["device"], found["threads"]) == ("torch", "cpu", 1)
    assert found["median_ms"] > 0
    assert len(found["samples_ms"]) == found["samples"]


def test_a_file_is_measured_in_onnx_runtime_and_says_that_its_weights_are_made_up(capsys: Capture) -> None:
    document = measured(capsys, NETWORK)
    assert document["latency"]["runtime"] == "onnxruntime"
    assert any("weights are random, made in memory" in note for note in document["notes"])


def test_runtime_and_threads_can_be_chosen(capsys: Capture, tiny: str) -> None:
    before = torch.get_num_threads()
    found = measured(capsys, tiny, "--runtime", "onnxruntime", "--threads", "2")["latency"]
    assert (found["runtime"], found["threads"]) == ("onnxruntime", 2)
    measured(capsys, tiny, "--threads", "3")
    assert torch.get_num_threads() == before


def test_a_factory_is_built_with_values(capsys: Capture, tmp_path: Path) -> None:
    source = tmp_path / "net.py"
    source.write_text(
        "import torch\n"
        "def build():\n"
        "    net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.BatchNorm1d(4))\n"
        "    print('built')\n"
        "    return net, (torch.ones(2, 4),)\n"
    )
    document = measured(capsys, f"{source}:build")
    assert document["latency"]["runtime"] == "torch"
    assert document["totals"]["macs"] == 32


def test_under_strict_an_op_that_is_not_counted_ends_it_after_the_report(capsys: Capture, tmp_path: Path) -> None:
    source = tmp_path / "net.py"
    source.write_text(
        "import torch\n"
        "class Net(torch.nn.Module):\n"
        "    def forward(self, x):\n"
        "        return torch.linalg.eigvalsh(x)\n"
        "def build():\n"
        "    return Net(), (torch.eye(3),)\n"
    )
    assert main(["measure", f"{source}:build", "--max-time", "0.1", "-f", "json", "--strict"]) == 2
    out, err = capsys.readouterr()
    assert json.loads(out)["latency"]["median_ms"] > 0
    assert "cannot count" in err


def test_a_second_model_is_set_beside_the_first(capsys: Capture, tiny: str) -> None:
    first, second = measured(capsys, tiny, tiny)["measurements"]
    assert first["beside"] is None
    assert second["beside"]["verdict"].startswith("as many MACs")


def test_models_of_two_runtimes_are_not_set_beside_each_other(capsys: Capture, tiny: str) -> None:
    found = measured(capsys, tiny, NETWORK)["measurements"]
    assert [each["beside"] for each in found] == [None, None]


def test_what_takes_too_much_memory_is_refused_with_its_bytes(capsys: Capture, tiny: str) -> None:
    assert main(["measure", tiny, "--max-bytes", "100B"]) == 2
    out, err = capsys.readouterr()
    assert "running it needs" in out
    assert "hint: --max-bytes sets how much" in err


def test_a_runtime_s_refusal_is_one_error_in_our_words_and_the_rest_under_v(capsys: Capture, tmp_path: Path) -> None:
    model = onnx.load(NETWORK, load_external_data=False)
    model.graph.node[0].op_type = "NoSuchOperator"
    path = tmp_path / "net.onnx"
    onnx.save(model, path)
    assert main(["measure", str(path)]) == 2
    out, err = capsys.readouterr()
    assert "not measured: ONNX Runtime cannot load it: " in out
    assert err.count("ONNX Runtime cannot load it") == 1
    assert "hint: -v shows all that the runtime said" in err
    assert "[ONNXRuntimeError]" not in out + err
    assert main(["measure", str(path), "-v"]) == 2
    assert "[ONNXRuntimeError]" in capsys.readouterr().err


def test_an_interrupt_leaves_what_was_measured(capsys: Capture, tiny: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def interrupted(*arguments: object) -> dict[str, object]:
        calls.append(arguments)
        return {"0": latency.INTERRUPTED}

    monkeypatch.setattr(latency, "measure", interrupted)
    assert main(["measure", tiny, NETWORK, "-f", "json"]) == 130
    found = json.loads(capsys.readouterr().out)["measurements"]
    assert [each["partial"] for each in found] == [True, True]
    assert len(calls) == 1, "no further runtime begins"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--runtime", "tensorrt"], "--runtime is one of torch, onnxruntime"),
        (["--device", "gpu"], "--device is one of cpu, cuda"),
        (["--threads", "0"], "--threads takes a whole number"),
        (["--max-time", "0"], "--max-time takes seconds, not '0'"),
        (["--max-time", "1h"], "--max-time takes seconds, not '1h'"),
        (["--max-bytes", "much"], "'much' is not a value for --max-bytes"),
        (["--compile", "--runtime", "onnxruntime"], "only torch compiles models"),
    ],
)
def test_what_options_cannot_say(capsys: Capture, tiny: str, arguments: list[str], says: str) -> None:
    assert main(["measure", tiny, *arguments]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("target", ["report.json", "git:HEAD:model.onnx"])
def test_what_only_tells_costs_cannot_be_run(capsys: Capture, target: str) -> None:
    assert main(["measure", target]) == 2
    assert f"{target} cannot be run" in capsys.readouterr().err
