"""`convcost compare`, as it is typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from convcost.cli import main

SAMPLES = Path(__file__).parents[2] / "sample_configs"
LAYER = str(SAMPLES / "layer.yaml")
RESNET = str(SAMPLES / "onnx" / "resnet18.onnx")
DENSE = str(SAMPLES / "mobilenet_v1_dense.yaml")

Capture = pytest.CaptureFixture[str]


def compared(capsys: Capture, *arguments: str) -> dict[str, object]:
    assert main(["compare", *arguments, "-f", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_spec_is_given_by_option_or_as_a_target(capsys: Capture) -> None:
    assert compared(capsys, "--spec", LAYER) == compared(capsys, LAYER)


def test_costs_alone_load_nothing_that_measures_or_reads_weights() -> None:
    program = (
        f"import sys; from convcost.cli import main; main(['compare', '--spec', {LAYER!r}]); "
        "sys.exit(' '.join(name for name in sys.modules if name in "
        "('convcost.latency', 'convcost.weights', 'convcost.reports.devices', "
        "'fractions', 'rich', 'tomllib', 'pydantic')))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.stdout.startswith(LAYER)
    assert ended.stderr.strip() == ""


def test_the_built_in_set_is_the_default(capsys: Capture) -> None:
    layer = compared(capsys, "--spec", LAYER)["layers"][0]
    names = [candidate["name"] for candidate in layer["alternatives"]]
    assert names == ["standard", "spatial_separable", "spatial_factorized", "depthwise_separable", "grouped"]


def test_alternatives_can_be_chosen_with_their_options(capsys: Capture) -> None:
    layer = compared(capsys, "--spec", LAYER, "--alternatives", "grouped[groups=4],grouped[groups=8]")["layers"][0]
    assert [candidate["macs"] for candidate in layer["alternatives"]] == [115_605_504, 28_901_376, 14_450_688]


def test_layers_can_be_chosen_by_glob(capsys: Capture) -> None:
    document = compared(capsys, DENSE, "--layer", "block1*.conv")
    assert {layer["name"][:6] for layer in document["layers"]} == {"block1"}


def test_the_input_map_reproduces_texts_that_count_there(capsys: Capture) -> None:
    (example,) = (SAMPLES / "examples").glob("*64x64*")
    layer = compared(capsys, "--spec", str(example), "--df", "input")["layers"][0]
    by_name = {candidate["name"]: candidate["macs"] for candidate in layer["alternatives"]}
    assert (by_name["standard"], by_name["depthwise_separable"]) == (28_311_552, 3_062_784)


def test_a_whole_model_has_totals(capsys: Capture) -> None:
    document = compared(capsys, DENSE, "--layer", "block*", "--alternatives", "depthwise_separable")
    assert [total["macs"] for total in document["totals"]] == [4_867_293_184, 568_740_352]


def test_pointwise_layers_of_a_model_stay_unless_asked_for(capsys: Capture) -> None:
    """ResNet-18 with 4 groups wherever 4 divide: the published total leaves 1×1 convolutions as they are."""
    document = compared(capsys, RESNET)
    totals = {total["name"]: total for total in document["totals"]}
    assert totals["grouped"]["macs"] == 556_863_488
    assert totals["spatial_factorized"]["macs"] == 1_646_284_800
    assert totals["depthwise_separable"]["macs"] == 223_042_560
    assert (len(document["layers"]), document["selection"]) == (17, {"min_kernel": 2, "smaller_kernels": 3})


@pytest.mark.parametrize(
    ("chosen", "count"),
    [
        (["--min-kernel", "1"], 20),
        (["--min-kernel", "7"], 1),
        (["--kind", "pointwise"], 3),
        (["--layer", "*.downsample.0"], 3),
        (["--layer", "layer2*", "--min-kernel", "3"], 4),
        (["--layer", "layer2*", "--kind", "pointwise", "--kind", "depthwise"], 1),
    ],
)
def test_convolutions_are_chosen_by_name_kind_and_kernel(capsys: Capture, chosen: list[str], count: int) -> None:
    assert len(compared(capsys, RESNET, "--alternatives", "standard", *chosen)["layers"]) == count


def test_specs_are_compared_whole(capsys: Capture) -> None:
    assert len(compared(capsys, str(SAMPLES / "mobilenet_v1.yaml"), "--alternatives", "standard")["layers"]) == 27


def test_devices_share_each_alternative(capsys: Capture) -> None:
    (layer,) = compared(capsys, "--spec", LAYER, "--devices", "4", "--alternatives", "grouped")["layers"]
    standard, grouped = (candidate["devices"] for candidate in layer["alternatives"])
    assert [share["scheme"] for share in standard + grouped] == ["data", "channel", "data", "filter_group"]
    assert [share["macs"] for share in standard + grouped] == [115_605_504, 28_901_376, 28_901_376, 7_225_344]
    assert standard[0]["communication_bytes"] == 2 * 3 * 147_456 * 4 // 4


def test_the_mark_is_a_column_when_asked_for(capsys: Capture) -> None:
    assert main(["compare", "--spec", LAYER, "--pareto"]) == 0
    assert "MACs/byte  Pareto" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says", "hint"),
    [
        (["a.json", "b.json"], "two runs are compared by diff", "convcost diff"),
        (["a.yaml", "b.yaml"], "compare takes one model, not 2", "once for each"),
        (["a.yaml", "--spec", "b.yaml"], "compare takes one model, not 2", "once for each"),
        ([], "compare needs a model or a layer spec", "--spec layer.yaml"),
        (["--spec", LAYER, "--df", "ouput"], "--df is one of output, input", "did you mean output?"),
        (["--spec", LAYER, "--alternatives", "gruoped"], "unknown alternative", "grouped"),
        (["--spec", LAYER, "--layer", "nothing*"], "nothing*", "conv1"),
        (["--spec", LAYER, "--kind", "depthwise"], "no convolution is of kind depthwise", "there are: conv"),
        (["--spec", LAYER, "--min-kernel", "5"], "has a kernel of 5 or more", "--min-kernel 1"),
        (["--spec", LAYER, "--min-kernel", "0"], "--min-kernel takes a whole number", "1 or more"),
        (["--spec", LAYER, "--devices", "none"], "--devices takes a whole number", "1 or more"),
    ],
)
def test_what_compare_cannot_do_it_says(capsys: Capture, arguments: list[str], says: str, hint: str) -> None:
    assert main(["compare", *arguments]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert says in first
    assert hint in second
