"""Writes a residual network of as many nodes as asked for: `python -m benchmarks.many_nodes FILE NODES`.

Every third node is a convolution with a weight of its own.
"""

from __future__ import annotations

import sys

import onnx
from onnx import NodeProto, TensorProto, helper

CHANNELS = 8
WEIGHT_BYTES = bytes(4 * CHANNELS * CHANNELS)


def residual_network(nodes: int) -> onnx.ModelProto:
    made: list[NodeProto] = []
    weights: list[TensorProto] = []
    last = "image"
    for block in range(nodes // 3):
        path = f"blocks.{block}"
        weight = f"{path}.conv.weight"
        weights.append(
            helper.make_tensor(weight, TensorProto.FLOAT, [CHANNELS, CHANNELS, 1, 1], WEIGHT_BYTES, raw=True)
        )
        conv, relu, add = (f"{path}.{name}" for name in ("conv", "relu", "add"))
        made.append(helper.make_node("Conv", [last, weight], [conv], name=conv, kernel_shape=[1, 1]))
        made.append(helper.make_node("Relu", [conv], [relu], name=relu))
        made.append(helper.make_node("Add", [relu, last], [add], name=add))
        last = add
    shape = [1, CHANNELS, 8, 8]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)
    result = helper.make_tensor_value_info(last, TensorProto.FLOAT, shape)
    graph = helper.make_graph(made, "residual", [image], [result], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])


if __name__ == "__main__":
    onnx.save(residual_network(int(sys.argv[2])), sys.argv[1])
