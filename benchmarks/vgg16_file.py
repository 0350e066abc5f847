"""Writes VGG-16 as one ONNX file of 553 MB, its weights all zero: `python -m benchmarks.vgg16_file FILE`."""

from __future__ import annotations

import math
import sys

import onnx
from onnx import NodeProto, TensorProto, helper

STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
CLASSIFIER = (4096, 4096, 1000)


class Builder:
    """Collects the nodes of a chain and the weights they read."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []
        self.last = "image"

    def add(self, operator: str, name: str, *weights: str, **attributes: object) -> None:
        self.nodes.append(helper.make_node(operator, [self.last, *weights], [f"{name}:out"], name=name, **attributes))
        self.last = f"{name}:out"

    def weight(self, name: str, *shape: int) -> str:
        zeros = bytes(4 * math.prod(shape))
        self.weights.append(helper.make_tensor(name, TensorProto.FLOAT, shape, zeros, raw=True))
        return name


def vgg16() -> onnx.ModelProto:
    build = Builder()
    channels = 3
    for stage, widths in enumerate(STAGES):
        for index, width in enumerate(widths):
            name = f"features.{stage}.{index}"
            weight = build.weight(f"{name}.weight", width, channels, 3, 3)
            bias = build.weight(f"{name}.bias", width)
            build.add("Conv", name, weight, bias, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
            build.add("Relu", f"{name}.relu")
            channels = width
        build.add("MaxPool", f"features.{stage}.pool", kernel_shape=[2, 2], strides=[2, 2])
    build.add("Flatten", "flatten")
    features = channels * 7 * 7
    for index, width in enumerate(CLASSIFIER):
        name = f"classifier.{index}"
        weight, bias = build.weight(f"{name}.weight", width, features), build.weight(f"{name}.bias", width)
        build.add("Gemm", name, weight, bias, transB=1)
        features = width
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 224, 224])
    classes = helper.make_tensor_value_info(build.last, TensorProto.FLOAT, [1, features])
    graph = helper.make_graph(build.nodes, "vgg16", [image], [classes], build.weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])


if __name__ == "__main__":
    onnx.save(vgg16(), sys.argv[1])
