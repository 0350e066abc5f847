"""One network through two sources: the same MACs, layer by layer, by the same names."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn

from convcost.analysis import Analysis, analyze_graph
from convcost.graph.ops import Attention, MatMul, Normalize, Op
from convcost.sources import Request
from convcost.sources.onnx import load_onnx
from convcost.sources.torch import graph_of

pytestmark = pytest.mark.filterwarnings("ignore::Warning")  # exporters have much to say about their own code

NETWORKS = ("resnet18", "mobilenet_v2", "vit_b_16")
EXPORTERS = {"dynamo": True, "torchscript": False}
SHAPE = (1, 3, 224, 224)


@pytest.fixture(scope="module", params=NETWORKS)
def module(request: pytest.FixtureRequest) -> nn.Module:
    """A network with no two tensors equal: exporters store equal ones once."""
    network: nn.Module = torchvision.models.get_model(request.param, weights=None).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for tensor in (*network.parameters(), *network.buffers()):
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
    return network


@pytest.fixture(scope="module", params=EXPORTERS)
def both(request: pytest.FixtureRequest, module: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Both:
    path = tmp_path_factory.mktemp("export") / "network.onnx"
    torch.onnx.export(module, (torch.zeros(SHAPE),), str(path), dynamo=EXPORTERS[request.param], verbose=False)
    return Both(module, path)


class Both:
    """The analyses of a module and of its export."""

    def __init__(self, module: nn.Module, path: Path) -> None:
        self.torch = analyze_graph(graph_of(module, (SHAPE,)))
        self.onnx = analyze_graph(load_onnx(Request(target=str(path))))


def test_totals_are_equal(both: Both) -> None:
    assert both.onnx.totals.macs == both.torch.totals.macs
    assert not both.onnx.unknown
    assert not both.torch.unknown


def test_every_layer_is_equal_by_name(both: Both) -> None:
    """Exporters write attention as its two products, so those are added up under the module they belong to."""
    named = macs_by_layer(both.torch)
    assert len(named) >= 21
    assert macs_by_layer(both.onnx) == named


def test_parameters_differ_by_folded_batch_norms_alone(both: Both) -> None:
    """Folding a BatchNorm over C channels drops its 2C parameters and gives the convolution C biases."""
    assert both.onnx.totals.params == both.torch.totals.params - folded_channels(both)


def macs_by_layer(analysis: Analysis) -> Counter[str]:
    found: Counter[str] = Counter()
    for layer in analysis.layers:
        if layer.cost.macs:
            products = isinstance(layer.node.op, Attention | MatMul) and not layer.node.weights
            found[f"{layer.node.scope}.attention" if products else layer.name] += layer.cost.macs
    return found


def folded_channels(both: Both) -> int:
    """Channels of the batch norms that PyTorch runs and the file no longer holds."""

    def channels(analysis: Analysis) -> int:
        norms = [layer.node for layer in analysis.layers if is_batch_norm(layer.node.op)]
        return sum(math.prod(node.weights[0].shape) for node in norms)

    return channels(both.torch) - channels(both.onnx)


def is_batch_norm(op: Op) -> bool:
    return isinstance(op, Normalize) and op.method == "batch"
