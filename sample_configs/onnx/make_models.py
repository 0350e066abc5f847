"""Makes the ONNX samples beside this file: real networks from torchvision, their structure without their weights.

Run it from the repository's root, in an environment with the development tools (torch, torchvision, onnxscript):

    python sample_configs/onnx/make_models.py

Every weight becomes a reference into a data file that is not shipped: counting never reads weights.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import onnx
import torch

NETWORKS = ("mobilenet_v2", "resnet18", "vit_b_16")
INPUT = (1, 3, 224, 224)
OPSET = 20
HERE = Path(__file__).parent
KEPT_METADATA = "pkg.torch.onnx.name_scopes"


def declare_missing_operators() -> None:
    """torchvision's Python code asks for two operators that a CPU build of torch may lack; their schemas suffice."""
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    torch.ops.torchvision.declared_for_samples = library


def network(name: str) -> torch.nn.Module:
    """The network with random weights and statistics; exporters merge tensors that happen to be equal."""
    import torchvision

    model = torchvision.models.get_model(name, weights=None).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
    return model


def without_weights(model: onnx.ModelProto, data_file: str) -> onnx.ModelProto:
    """The model with every floating tensor moved to `data_file`, which is not written."""
    offset = 0
    for tensor in model.graph.initializer:
        if not tensor.dims or tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        length = len(tensor.raw_data)
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", data_file), ("offset", str(offset)), ("length", str(length))):
            tensor.external_data.add(key=key, value=value)
        offset += length
    return model


def without_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model without the exporter's notes (stack traces, paths of this machine), module scopes excepted."""
    model.ClearField("metadata_props")
    model.graph.ClearField("value_info")
    for node in model.graph.node:
        scopes = [entry.value for entry in node.metadata_props if entry.key == KEPT_METADATA]
        node.ClearField("metadata_props")
        for value in scopes:
            node.metadata_props.add(key=KEPT_METADATA, value=value)
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        value.ClearField("metadata_props")
    return model


def main() -> None:
    declare_missing_operators()
    for name in NETWORKS:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            torch.onnx.export(
                network(name), (torch.zeros(INPUT),), path, dynamo=True, external_data=False, opset_version=OPSET
            )
            model = onnx.load(path)
        model.graph.name = name
        structure = without_traces(without_weights(model, f"{name}.data"))
        onnx.save(structure, HERE / f"{name}.onnx")


if __name__ == "__main__":
    main()
