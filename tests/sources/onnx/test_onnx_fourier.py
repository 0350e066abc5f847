"""ONNX's transforms count as PyTorch's of the same data: by complex numbers, though ONNX writes pairs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx import GraphProto, NodeProto
from torch import nn

from convcost.analysis import Analysis, analyze_graph
from convcost.sources.torch import graph_of
from tests.sources.onnx.tiny import analyze, graph, node


class Transform(nn.Module):
    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(torch.view_as_complex(x) if x.shape[-1] == 2 else x[..., 0])


def dft(*, length: bool = False, **attributes: int) -> NodeProto:
    return node("DFT", ["x", "n" if length else "", "axis"], ["y"], **attributes)


CASES = {
    "complex": (dft(), (2, 16, 2), lambda x: torch.fft.fft(x, dim=1)),
    "inverse": (dft(inverse=1), (2, 16, 2), lambda x: torch.fft.ifft(x, dim=1)),
    "real": (dft(), (2, 16, 1), lambda x: torch.fft.fft(x, dim=1)),
    "real, one side": (dft(onesided=1), (2, 16, 1), lambda x: torch.fft.rfft(x, dim=1)),
    "cut": (dft(length=True), (2, 16, 2), lambda x: torch.fft.fft(x, n=12, dim=1)),
    "filled": (dft(length=True), (2, 8, 2), lambda x: torch.fft.fft(x, n=12, dim=1)),
}


def other_ops(found: Analysis) -> int:
    assert found.unknown == ()
    assert found.totals.macs == 0
    return sum(layer.cost.other_ops for layer in found.layers if layer.node.op.family == "fourier")


@pytest.mark.parametrize(("item", "shape", "function"), CASES.values(), ids=CASES)
def test_a_transform_counts_as_pytorchs(
    tmp_path: Path, item: NodeProto, shape: tuple[int, ...], function: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    constants = {"n": np.array(12), "axis": np.array(1)}
    ours = other_ops(analyze(graph([item], {"x": shape}, constants), tmp_path))
    assert ours == other_ops(analyze_graph(graph_of(Transform(function), (shape,))))
    assert ours > 0


def test_the_axis_before_opset_20_is_an_attribute(tmp_path: Path) -> None:
    found = analyze(graph([node("DFT", ["x"], ["y"], axis=2)], {"x": [2, 3, 16, 1]}), tmp_path, opset=17)
    assert other_ops(found) == 5 * 2 * 3 * 16 * 4 // 2


def test_an_axis_that_is_computed_is_not_guessed(tmp_path: Path) -> None:
    content = graph([dft()], {"x": [2, 16, 2], "axis": []}, dtypes={"axis": 7})
    assert [op.operator for op in analyze(content, tmp_path).unknown] == ["DFT"]


def stft(content: dict[str, tuple[int, ...]], *inputs: str, **attributes: int) -> GraphProto:
    constants = {"step": np.array(5), "length": np.array(16), "factors": np.ones(16, np.float32)}
    return graph([node("STFT", ["x", *inputs], ["y"], **attributes)], content, constants)


@pytest.mark.parametrize("onesided", [0, 1])
@pytest.mark.parametrize("inputs", [("step", "factors"), ("step", "factors", "length")])
def test_a_transform_of_frames_counts_as_pytorchs(tmp_path: Path, inputs: tuple[str, ...], onesided: int) -> None:
    class OfFrames(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            window, side = torch.ones(16, device=x.device), bool(onesided)
            return torch.stft(x, 16, 5, window=window, center=False, onesided=side, return_complex=True)

    found = analyze(stft({"x": (2, 50, 1)}, *inputs, onesided=onesided), tmp_path)
    theirs = analyze_graph(graph_of(OfFrames(), ((2, 50),)))
    assert found.unknown == ()
    assert found.totals.cost.other_ops == theirs.totals.cost.other_ops
    (bins, frames), rows = theirs.layers[-1].node.outputs[0].shape[1:], found.layers[-1].node.outputs[0].shape
    assert rows == (2, frames, bins, 2)


def test_frames_of_pairs_are_transformed_as_complex_numbers(tmp_path: Path) -> None:
    found = analyze(stft({"x": (2, 50, 2)}, "step", "", "length", onesided=0), tmp_path)
    assert found.layers[-1].node.outputs[0].shape == (2, 7, 16, 2)
    assert other_ops(found) == 5 * 2 * 7 * 16 * 4


def test_frames_without_factors_are_not_multiplied(tmp_path: Path) -> None:
    found = analyze(stft({"x": (2, 50)}, "step", "", "length"), tmp_path)
    assert found.totals.cost.other_ops == 5 * 2 * 7 * 16 * 4 // 2


@pytest.mark.parametrize(("samples", "inputs"), [(50, ("step",)), (50, ("long", "factors")), (12, ("step", "factors"))])
def test_frames_that_are_not_known_or_do_not_fit_are_not_guessed(
    tmp_path: Path, samples: int, inputs: tuple[str, ...]
) -> None:
    content = stft({"x": (2, samples, 1), "long": ()}, *inputs)
    content.input[-1].type.tensor_type.elem_type = 7
    assert [op.operator for op in analyze(content, tmp_path).unknown] == ["STFT"]
