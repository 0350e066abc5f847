"""Writes a network whose weights, in a file of their own, come to over 2 GB: `python -m benchmarks.external_file FILE`.

The weights' file is sparse: it has its size and takes no room on the disk.
"""

from __future__ import annotations

import sys
from pathlib import Path

import onnx
from onnx import TensorProto, helper

WIDTH = 8192
LAYERS = 10
WEIGHT_BYTES = 4 * WIDTH * WIDTH


def write(path: Path) -> None:
    """The model at `path` and its weights beside it."""
    weights = path.with_suffix(".weights")
    with weights.open("wb") as file:
        file.truncate(LAYERS * WEIGHT_BYTES)
    onnx.save(perceptron(weights.name), path)


def perceptron(weights: str) -> onnx.ModelProto:
    nodes, stored, last = [], [], "data"
    for layer in range(LAYERS):
        name = f"layers.{layer}.weight"
        stored.append(_outside(name, weights, layer * WEIGHT_BYTES))
        nodes.append(helper.make_node("MatMul", [last, name], [f"hidden.{layer}"], name=f"layers.{layer}"))
        last = f"hidden.{layer}"
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, WIDTH]) for name in ("data", last)]
    graph = helper.make_graph(nodes, "perceptron", ends[:1], ends[1:], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])


def _outside(name: str, file: str, offset: int) -> TensorProto:
    where = {"location": file, "offset": str(offset), "length": str(WEIGHT_BYTES)}
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[WIDTH, WIDTH])
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in where.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


if __name__ == "__main__":
    write(Path(sys.argv[1]))
