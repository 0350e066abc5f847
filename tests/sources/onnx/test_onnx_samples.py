"""The shipped networks are structure without weights, small, and cost what is published."""

from __future__ import annotations

from pathlib import Path

import pytest

from convcost.analysis import analyze_graph
from convcost.sources import Request
from convcost.sources.onnx import load_onnx

FOLDER = Path(__file__).parents[3] / "sample_configs" / "onnx"

# MACs; parameters with every BatchNorm's four vectors folded into one bias.
NETWORKS = {
    "mobilenet_v2.onnx": (300_774_272, 3_504_872 - 17_056),
    "resnet18.onnx": (1_814_073_344, 11_689_512 - 4_800),
    "vit_b_16.onnx": (17_563_828_224, 86_567_656),
}


def test_every_shipped_model_is_held() -> None:
    assert {path.name for path in FOLDER.glob("*.onnx")} == set(NETWORKS)


@pytest.mark.parametrize(("name", "totals"), NETWORKS.items())
def test_shipped_networks_cost_what_is_published(name: str, totals: tuple[int, int]) -> None:
    found = analyze_graph(load_onnx(Request(target=str(FOLDER / name))))
    assert (found.totals.macs, found.totals.params) == totals
    assert (found.unknown, found.notes) == ((), ())


@pytest.mark.parametrize("name", NETWORKS)
def test_shipped_networks_are_small_and_without_weights(name: str) -> None:
    path = FOLDER / name
    assert path.stat().st_size < 300_000
    weights = [weight for weight in load_onnx(Request(target=str(path))).weights if weight.shape]
    assert all(
        weight.stored is None or not Path(weight.stored.path).exists() or weight.nbytes < 100 for weight in weights
    )
