"""Models as they come: a PyTorch module, and ONNX files with their weights inside, beside or missing."""

from __future__ import annotations

import dataclasses
import tracemalloc
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from convcost.errors import SourceError
from convcost.graph import DType
from convcost.sources import Request, load
from convcost.sources.torch import graph_of
from convcost.weights import FileKernels, LayerSeparability, ModuleKernels, layer_separabilities, separability


class Net(torch.nn.Module):
    """Two convolutions, one of them normalised, and one transposed, with values that no default would give."""

    def __init__(self) -> None:
        super().__init__()
        self.first = torch.nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.norm = torch.nn.BatchNorm2d(8)
        self.second = torch.nn.Conv2d(8, 8, 3, padding=1, groups=2, bias=False)
        self.up = torch.nn.ConvTranspose2d(8, 4, 2, stride=2, bias=False)
        generator = torch.Generator().manual_seed(0)
        for tensor in (*self.parameters(), self.norm.running_mean, self.norm.running_var):
            torch.nn.init.uniform_(tensor, 0.1, 1, generator=generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.up(self.second(self.norm(self.first(x))))


def as_onnx(net: Net, element: type[np.floating] = np.float32) -> onnx.ModelProto:
    stored = [
        numpy_helper.from_array(tensor.detach().numpy().astype(element), name)
        for name, tensor in net.state_dict().items()
        if tensor.is_floating_point()
    ]
    nodes = [
        helper.make_node("Conv", ["x", "first.weight"], ["a"], name="first", pads=[1, 1, 1, 1]),
        helper.make_node(
            "BatchNormalization",
            ["a", *(f"norm.{key}" for key in ("weight", "bias", "running_mean", "running_var"))],
            ["b"],
            name="norm",
        ),
        helper.make_node("Conv", ["b", "second.weight"], ["c"], name="second", pads=[1, 1, 1, 1], group=2),
        helper.make_node("ConvTranspose", ["c", "up.weight"], ["y"], name="up", strides=[2, 2]),
    ]
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(element))
    inputs = [helper.make_tensor_value_info("x", kind, [1, 3, 8, 8])]
    outputs = [helper.make_tensor_value_info("y", kind, [1, 4, 16, 16])]
    return helper.make_model(helper.make_graph(nodes, "net", inputs, outputs, stored))


def from_file(path: Path) -> tuple[LayerSeparability, ...]:
    return separability(load(Request(target=str(path))), FileKernels()).layers


def numbers(layers: tuple[LayerSeparability, ...]) -> list[LayerSeparability]:
    """Without what only one source can know."""
    return [dataclasses.replace(each, findings=()) for each in layers]


def test_a_module_and_its_onnx_file_are_found_the_same(tmp_path):
    net = Net().eval()
    onnx.save(as_onnx(net), tmp_path / "net.onnx")
    live = separability(graph_of(net, ((1, 3, 8, 8),)), ModuleKernels(net)).layers
    assert [each.name for each in live] == ["first", "second", "up"]
    assert [each.folded for each in live] == ["norm", None, None]
    assert numbers(live) == numbers(from_file(tmp_path / "net.onnx"))


def test_weights_beside_the_model_are_the_weights_inside_it(tmp_path):
    model = as_onnx(Net())
    onnx.save(model, tmp_path / "inside.onnx")
    onnx.save(model, tmp_path / "beside.onnx", save_as_external_data=True, location="w.data", size_threshold=0)
    assert from_file(tmp_path / "beside.onnx") == from_file(tmp_path / "inside.onnx")


def test_a_structure_without_its_weights_names_the_missing_file(tmp_path):
    onnx.save(as_onnx(Net()), tmp_path / "m.onnx", save_as_external_data=True, location="w.data", size_threshold=0)
    (tmp_path / "w.data").unlink()
    with pytest.raises(SourceError) as caught:
        from_file(tmp_path / "m.onnx")
    assert str(tmp_path / "w.data") in caught.value.message
    assert "'first.weight'" in caught.value.message
    assert "\n" not in caught.value.message


def test_a_link_out_of_the_models_folder_is_not_followed(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    onnx.save(as_onnx(Net()), folder / "m.onnx", save_as_external_data=True, location="w.data", size_threshold=0)
    (folder / "w.data").rename(tmp_path / "secret")
    (folder / "w.data").symlink_to(tmp_path / "secret")
    with pytest.raises(SourceError, match="out of the model's folder"):
        from_file(folder / "m.onnx")


def test_links_in_a_circle_are_an_error(tmp_path):
    onnx.save(as_onnx(Net()), tmp_path / "m.onnx", save_as_external_data=True, location="w.data", size_threshold=0)
    (tmp_path / "w.data").unlink()
    (tmp_path / "w.data").symlink_to("w.data")
    with pytest.raises(SourceError, match=r"w\.data"):
        from_file(tmp_path / "m.onnx")


def test_links_of_a_download_cache_are_followed_to_where_the_model_lies(tmp_path):
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots"
    blobs.mkdir()
    snapshot.mkdir()
    onnx.save(as_onnx(Net()), blobs / "m", save_as_external_data=True, location="w.data", size_threshold=0)
    (snapshot / "m.onnx").symlink_to(blobs / "m")
    (snapshot / "w.data").symlink_to(blobs / "w.data")
    assert from_file(snapshot / "m.onnx")


def test_half_precision_weights_are_read_as_they_are(tmp_path):
    net = Net()
    onnx.save(as_onnx(net, np.float16), tmp_path / "half.onnx")
    graph = load(Request(target=str(tmp_path / "half.onnx")))
    weight = next(weight for weight in graph.weights if weight.name == "second.weight")
    assert weight.dtype is DType.FLOAT16
    np.testing.assert_array_equal(FileKernels().load(weight), net.second.weight.detach().half().double().numpy())


def quantized() -> onnx.ModelProto:
    stored = [
        numpy_helper.from_array(np.ones((4, 3, 3, 3), np.int8), "q"),
        numpy_helper.from_array(np.float32(0.1), "scale"),
    ]
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "scale"], ["w"]),
        helper.make_node("Conv", ["x", "w"], ["y"], name="conv"),
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 6, 6])]
    return helper.make_model(helper.make_graph(nodes, "net", inputs, outputs, stored))


def test_quantized_weights_are_reported(tmp_path):
    onnx.save(quantized(), tmp_path / "q.onnx")
    (found,) = from_file(tmp_path / "q.onnx")
    assert [finding.code for finding in found.findings] == ["quantized"]


def peak_bytes(depth: int) -> int:
    net = torch.nn.Sequential(*(torch.nn.Conv2d(32, 32, 3) for _ in range(depth)))
    graph = graph_of(net, ((1, 32, 32, 32),))
    kernels = ModuleKernels(net)
    tracemalloc.start()
    for _ in layer_separabilities(graph, kernels, draws=1):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_stays_at_one_kernel_however_many_there_are():
    one_kernel = 32 * 32 * 9 * 8
    assert peak_bytes(8) < peak_bytes(1) + one_kernel
