"""Networks exported from PyTorch by both exporters, and optimised by onnxruntime, keep their names and their cost."""

from __future__ import annotations

import io
import logging
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from convcost.analysis import Analysis, analyze_graph
from convcost.graph import Graph
from convcost.sources import Request
from convcost.sources.onnx import load_onnx


class Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()
        self.expand = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels), nn.BatchNorm2d(channels)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(x + self.expand(self.relu(self.bn1(self.conv1(x)))))


class Attending(nn.Module):
    """A transformer's layer as torchvision writes it: its attention is called directly, so no fast path hides it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.ln = nn.LayerNorm(width)
        self.self_attention = nn.MultiheadAttention(width, 2, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.ln(x)
        return x + self.mlp(self.self_attention(y, y, y, need_weights=False)[0])


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 4, stride=4)
        self.layers = nn.Sequential(Block(8), Block(8))
        self.attend = Attending(8)
        self.head = nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.layers(self.stem(x)).flatten(2).transpose(1, 2)
        return self.head(self.attend(tokens).mean(1))


def network() -> nn.Module:
    model = Network().eval()
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape) + 0.5)  # exporters merge tensors that are equal
    return model


POSITIONS, TOKENS = 64, 64
LAYERS = {
    "stem": POSITIONS * 8 * 3 * 16,
    "layers.0.conv1": POSITIONS * 8 * 8 * 9,
    "layers.0.expand.0": POSITIONS * 8 * 9,
    "layers.1.conv1": POSITIONS * 8 * 8 * 9,
    "layers.1.expand.0": POSITIONS * 8 * 9,
    "attend.self_attention.in_proj": TOKENS * 8 * 24,
    "attend.self_attention.out_proj": TOKENS * 8 * 8,
    "attend.mlp.0": TOKENS * 8 * 32,
    "attend.mlp.2": TOKENS * 32 * 8,
    "head": 8 * 5,
}
PRODUCTS = 2 * TOKENS * TOKENS * 8


@pytest.fixture(scope="module", params=["dynamo", "torchscript"])
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp(request.param) / "network.onnx"
    content = io.BytesIO()
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options = {"dynamo": True, "verbose": False} if request.param == "dynamo" else {"dynamo": False}
        torch.onnx.export(network(), (torch.zeros(1, 3, 32, 32),), content, opset_version=20, **options)
    path.write_bytes(content.getvalue())
    return path


def read(path: Path) -> Graph:
    return load_onnx(Request(target=str(path)))


def contractions(found: Analysis) -> dict[str, int]:
    return {layer.name: layer.cost.macs for layer in found.layers if layer.cost.macs}


def test_layers_have_the_modules_paths_and_costs(exported: Path) -> None:
    found = contractions(analyze_graph(read(exported)))
    assert {name: macs for name, macs in found.items() if name in LAYERS} == LAYERS
    products = {name: macs for name, macs in found.items() if name not in LAYERS}
    assert sum(products.values()) == PRODUCTS
    assert all(name.startswith("attend.self_attention.") for name in products)


def test_parameters_are_the_modules_with_norms_folded(exported: Path) -> None:
    parameters = sum(parameter.numel() for parameter in network().parameters())
    # A norm after a convolution leaves one bias: a folded scale is gone, and a bias the convolution had is not doubled.
    folded = 2 * 8 + 2 * 2 * 8
    assert analyze_graph(read(exported)).totals.params == parameters - folded


def test_every_value_has_the_shape_onnxruntime_computes(exported: Path) -> None:
    graph = read(exported)
    model = onnx.load(exported)
    produced = [name for item in model.graph.node for name in item.output]
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in produced)
    session = onnxruntime.InferenceSession(model.SerializeToString(), _quiet())
    values = session.run(produced, {model.graph.input[0].name: np.zeros((1, 3, 32, 32), np.float32)})
    shapes = {tensor.name: tensor.shape for layer in graph.nodes for tensor in layer.outputs}
    computed = {name: value.shape for name, value in zip(produced, values, strict=True) if name in shapes}
    assert len(computed) > 30
    assert {name: shapes[name] for name in computed} == computed


@pytest.mark.parametrize("level", ["ORT_ENABLE_BASIC", "ORT_ENABLE_EXTENDED"])
def test_onnxruntimes_optimiser_changes_no_macs(exported: Path, tmp_path: Path, level: str) -> None:
    options = _quiet()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    onnxruntime.InferenceSession(str(exported), options, providers=["CPUExecutionProvider"])
    before, after = analyze_graph(read(exported)), analyze_graph(read(tmp_path / "optimised.onnx"))
    assert after.unknown == ()
    assert after.totals.macs == before.totals.macs == sum(LAYERS.values()) + PRODUCTS


def _quiet() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return options
