"""A graph's nodes as an ONNX model, its weights left outside for random values made in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import onnx
import onnxruntime as ort  # type: ignore[import-untyped]  # it ships no annotations
from onnx import TensorProto, helper

from convcost.graph import Graph, Tensor, Weight
from convcost.latency.runners.memory import check_fits
from convcost.latency.runners.onnx_draft import Draft, element_number
from convcost.latency.runners.onnx_ops import lower
from convcost.latency.runners.onnx_session import create_session, prepared_session, random_weights, session_options
from convcost.latency.runners.prepared import Prepared
from convcost.latency.setting import Setting
from convcost.latency.workload import GraphNodes, graph_of_nodes, needed_bytes

_OPSET = 20
_IR_VERSION = 9


@contextmanager
def open_nodes(workload: GraphNodes, setting: Setting) -> Iterator[Prepared]:
    """A session on the graph's nodes. Raises `UnrunnableError` for what cannot be built and for what does not fit."""
    session = nodes_session(workload.graph, setting, session_options(setting))
    yield prepared_session(session, workload.graph.inputs, setting, ())


def nodes_session(graph: Graph, setting: Setting, options: ort.SessionOptions) -> ort.InferenceSession:
    """The session alone, for runs that are profiled."""
    check_fits(needed_bytes(graph), setting)
    model = build_model(graph).SerializeToString()
    weights = random_weights({weight.name: (weight.shape, weight.dtype) for weight in graph.weights}, setting)
    return create_session(model, setting, options, weights)


def build_model(graph: Graph) -> onnx.ModelProto:
    """The model, every weight an initializer that refers outside. Raises `UnrunnableError`."""
    nodes: list[onnx.NodeProto] = []
    for node in graph.nodes:
        draft = Draft(node, graph)
        lower(node.op, draft)
        nodes.extend(draft.written)
    # Layers that are independent of each other give nothing to the outside, and a session wants results.
    outputs = graph.outputs or graph_of_nodes(graph.nodes).outputs
    built = helper.make_graph(
        nodes,
        "convcost",
        [_value(tensor) for tensor in graph.inputs],
        [_value(tensor) for tensor in outputs if tensor.weight is None],
        [_outside(weight) for weight in graph.weights],
    )
    return helper.make_model(built, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)


def _value(tensor: Tensor) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(tensor.name, element_number(tensor.dtype), tensor.shape)


def _outside(weight: Weight) -> TensorProto:
    """An initializer that says its values lie elsewhere; the session is handed them as they are, uncopied."""
    tensor = TensorProto(name=weight.name, dims=weight.shape, data_type=element_number(weight.dtype))
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "in-memory"), ("offset", "0"), ("length", str(weight.nbytes))):
        tensor.external_data.add(key=key, value=value)
    return tensor
