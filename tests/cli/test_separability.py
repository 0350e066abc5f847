"""`convcost separability`, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest
import torch

from convcost.cli import main
from tests.weights.test_sources import Net, as_onnx

SAMPLES = Path(__file__).parents[2] / "sample_configs"
KERNELS = SAMPLES / "kernels"

Capture = pytest.CaptureFixture[str]

FACTORY = """
import torch
def build():
    layer = torch.nn.Conv2d(4, 8, 3, padding=1, bias=False)
    torch.nn.init.ones_(layer.weight)
    return layer, (1, 4, 8, 8)
"""


def found(capsys: Capture, *arguments: str) -> dict[str, object]:
    assert main(["separability", *arguments, "-f", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_filters_of_a_file_are_taken_one_by_one(capsys: Capture) -> None:
    kernels = found(capsys, str(KERNELS / "laplacian.yaml"))["kernels"]
    assert [kernel["rank"] for kernel in kernels] == [2, 2]
    assert kernels[0]["energy"] == pytest.approx(0.9898979485566356, abs=1e-12)
    assert kernels[1]["energy"] == pytest.approx(0.9330127018922193, abs=1e-12)


def test_under_strict_a_kernel_of_which_nothing_is_told_is_an_error_after_the_report(
    capsys: Capture, tmp_path: Path
) -> None:
    assert main(["separability", str(KERNELS / "sobel.yaml"), "--strict"]) == 0
    (tmp_path / "net.py").write_text(FACTORY.replace("ones_", "zeros_"))
    capsys.readouterr()
    target = f"{tmp_path / 'net.py'}:build"
    assert main(["separability", target, "-q"]) == 0
    report = capsys.readouterr().out
    assert "all values are zero" in report
    assert main(["separability", target, "-q", "--strict"]) == 2
    out, err = capsys.readouterr()
    assert out == report
    assert err.startswith(f"error: {target}: ")
    assert "all values are zero\nhint: without --strict" in err


def test_an_onnx_file_is_read_with_its_weights(capsys: Capture, tmp_path: Path) -> None:
    onnx.save(as_onnx(Net()), tmp_path / "net.onnx")
    document = found(capsys, str(tmp_path / "net.onnx"))
    assert [(layer["name"], layer["folded"]) for layer in document["layers"]] == [
        ("first", "norm"),
        ("second", None),
        ("up", None),
    ]
    assert all(layer["families"][0]["full_rank"] for layer in document["layers"])


def test_layers_and_ranks_can_be_chosen(capsys: Capture, tmp_path: Path) -> None:
    onnx.save(as_onnx(Net()), tmp_path / "net.onnx")
    (layer,) = found(capsys, str(tmp_path / "net.onnx"), "--layer", "fir*", "--rank", "2", "--rank", "3")["layers"]
    assert [point["rank"] for point in layer["families"][0]["points"]] == [2, 3]


def test_a_factory_is_built_with_the_values_it_sets(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(FACTORY)
    document = found(capsys, f"{tmp_path / 'net.py'}:build")
    (layer,) = document["layers"]
    # Every kernel is a column of ones times a row of ones: all 32 are separable, and rank 1 keeps all.
    assert layer["separable_kernels"]["separable"] == 32
    assert layer["families"][0]["rank_for"][-1] == {"energy": 0.99, "rank": 1}
    assert any("where that loads no trained ones" in note for note in document["notes"])


def test_a_saved_module_has_the_weights_it_was_saved_with(capsys: Capture, tmp_path: Path) -> None:
    net = torch.nn.Sequential(torch.nn.Conv2d(4, 8, 3, bias=False))
    torch.nn.init.ones_(net[0].weight)
    torch.jit.script(net).save(str(tmp_path / "net.pt"))
    document = found(capsys, str(tmp_path / "net.pt"), "--input", "1x4x8x8")
    assert document["layers"][0]["separable_kernels"]["separable"] == 32
    assert not any("learned" in note or "trained" in note for note in document["notes"])


def test_weights_that_nobody_trained_are_said_to_be_random(capsys: Capture) -> None:
    document = found(capsys, "torchvision:resnet18", "--layer", "layer1.0.conv1")
    assert any("nothing here was learned" in note for note in document["notes"])
    (layer,) = document["layers"]
    halves = [family["half_macs"] for family in layer["families"] if family["half_macs"]]
    assert halves
    assert all(abs(half["excess"]) < 0.01 for half in halves)


def test_the_missing_weights_of_a_structure_are_named(capsys: Capture) -> None:
    assert main(["separability", str(SAMPLES / "onnx" / "resnet18.onnx")]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "resnet18.data' is missing; it holds 'conv1.weight'" in first
    assert second.startswith("hint: ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["report.json"], "report.json has no weights to read"),
        (["git:HEAD:model.onnx"], "git:HEAD:model.onnx has no weights to read"),
        (["nothing"], "names neither a file nor a factory"),
        ([str(KERNELS / "sobel.yaml"), "--rank", "2"], "a kernel file has no layers, ranks or inputs to choose"),
        ([str(KERNELS / "sobel.yaml"), "--rank", "0"], "--rank takes a whole number of at least 1"),
        ([str(SAMPLES / "layer.yaml")], "layer.yaml:3:1: a layer spec has no weights"),
    ],
)
def test_what_separability_cannot_do_it_says(capsys: Capture, arguments: list[str], says: str) -> None:
    assert main(["separability", *arguments]) == 2
    assert says in capsys.readouterr().err.splitlines()[0]


def test_a_kernel_that_is_no_number_is_pointed_at(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text("kernel:\n  - [1, 2]\n  - [1, two]\n")
    assert main(["separability", str(tmp_path / "odd.yaml")]) == 2
    assert "odd.yaml:3:9: kernel holds 'two' where a number belongs" in capsys.readouterr().err
