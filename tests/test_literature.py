"""Every published figure of docs/literature.md, counted again."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
PUBLISHED = json.loads((ROOT / "tests" / "data" / "published.json").read_text())
SPECS = ROOT / "sample_configs" / "literature"
VGG = PUBLISHED["vgg16"]
FULLY_CONNECTED = VGG["macs"] - VGG["conv_macs"]

# Title of a figure: what it has to be, from the published counts.
PINNED = {
    "Both": [53_952, 10_275],
    "The same, depthwise-separable": [3_062_784],
    "With dense convolutions: multiplies": [PUBLISHED["conv_mobilenet"]["macs"]],
    "With dense convolutions: parameters": [PUBLISHED["conv_mobilenet"]["weights"]],
    "MobileNet: multiplies": [PUBLISHED["mobilenet_v1"]["macs"]],
    "MobileNet: parameters": [PUBLISHED["mobilenet_v1"]["weights"]],
    "Width 0.75: multiplies": [PUBLISHED["mobilenet_v1_075"]["macs"]],
    "Width 0.75: parameters": [PUBLISHED["mobilenet_v1_075"]["weights"]],
    "Width 0.5: multiplies": [PUBLISHED["mobilenet_v1_05"]["macs"]],
    "Shallow: without five blocks: multiplies": [PUBLISHED["mobilenet_v1_shallow"]["macs"]],
    "Resolution 192: multiplies": [PUBLISHED["mobilenet_v1_192"]["macs"]],
    "Resolution 128: multiplies": [PUBLISHED["mobilenet_v1_128"]["macs"]],
    "SqueezeNet: multiplies": [PUBLISHED["squeezenet1_0_227"]["macs"]],
    "ResNeXt-50 (32×4d): multiplies": [PUBLISHED["resnext50_32x4d"]["macs"]],
    "ResNeXt-50 (32×4d): parameters": [PUBLISHED["resnext50_32x4d"]["params"]],
    "The network, spatially factorised": [VGG["spatial"]],
    "The network, depthwise-separable": [VGG["ds"]],
    "The network in 2 groups": [VGG["g2"]],
    "The network in 4 groups": [VGG["g4"]],
    "The network in 8 groups": [VGG["g8"]],
    "The network with F(2×2, 3×3)": [VGG["winograd"]["2"] + FULLY_CONNECTED],
    "The network with F(4×4, 3×3)": [VGG["winograd"]["4"] + FULLY_CONNECTED],
    "The network with F(6×6, 3×3)": [VGG["winograd"]["6"] + FULLY_CONNECTED],
}


@pytest.fixture(scope="module")
def literature() -> ModuleType:
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        import literature  # a script beside the page that it writes
    finally:
        sys.path.pop(0)
    return literature


def test_the_page_is_in_step() -> None:
    command = [sys.executable, "docs/literature.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT)})
    assert (done.returncode, done.stderr) == (0, "")


def test_a_page_out_of_step_is_noticed_and_written_anew(
    literature: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(literature, "PAGE", tmp_path / "literature.md")
    monkeypatch.setattr(literature, "SECTIONS", literature.SECTIONS[:1])
    assert literature.main(["--check"]) == 1
    assert "out of step with the code: literature.md" in capsys.readouterr().err
    assert (literature.main([]), literature.main(["--check"])) == (0, 0)


def test_every_difference_is_explained_and_nothing_else(literature: ModuleType) -> None:
    figures = [figure for section in literature.SECTIONS for figure in section.figures]
    assert [each.what for each in figures if each.agrees() == bool(each.because)] == []


def test_counts_are_the_published_ones(literature: ModuleType) -> None:
    figures = [figure for section in literature.SECTIONS for figure in section.figures]
    assert {name: [each.value() for each in figures if each.what == name] for name in PINNED} == PINNED


def test_every_spec_stands_behind_a_figure(literature: ModuleType) -> None:
    named = {Path(each.spec).name for section in literature.SECTIONS for each in section.figures}
    instead = {"inception_two_3x3.yaml", "inception_3x1_1x3.yaml", "inception_two_2x2.yaml"}  # what a layer becomes
    assert {path.name for path in SPECS.iterdir()} - named == instead


@pytest.mark.parametrize(
    ("published", "count", "agrees"),
    [
        ("4.2 M", 4_209_088, True),
        ("4.2 M", 4_250_000, True),
        ("4.2 M", 4_250_001, False),
        ("1,228,800", 1_228_800, True),
        ("1,228,800", 1_228_801, False),
        ("28 %", "0.2849", True),
        ("28 %", "0.286", False),
        ("2.25", "2.25", True),
        ("4.00", "3.892", False),
        ("–", 5, True),
    ],
)
def test_a_figure_agrees_when_the_count_rounds_to_it(
    literature: ModuleType, published: str, count: int | str, agrees: bool
) -> None:
    first = literature.SECTIONS[0].figures[0]
    figure = dataclasses.replace(first, published=published, count=lambda spec: Decimal(count))
    assert figure.agrees() is agrees
