"""Graphs built node by node: both runtimes compute the same, in the shapes the graph says."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch

from convcost.alternatives import DEFAULT_ALTERNATIVES, SpatialSeparable, compare_graph
from convcost.graph import DType, Graph, Node, Tensor
from convcost.graph.ops import Activation, DeformConv, Elementwise, Move, Softmax
from convcost.latency.runners.onnx_nodes import build_model, nodes_session
from convcost.latency.runners.onnx_session import input_values, session_options
from convcost.latency.runners.prepared import UnrunnableError
from convcost.latency.runners.random_values import random_weight
from convcost.latency.runners.reorder import channel_reorder
from convcost.latency.runners.torch_nodes import build_module
from convcost.latency.setting import Setting
from convcost.latency.workload import graph_of_nodes
from convcost.sources.spec.layers import ACTIVATIONS
from tests.latency.runners.graphs import layer, network

TORCH = Setting(runtime="torch")
ONNX = Setting(runtime="onnxruntime")


def results(graph: Graph) -> tuple[np.ndarray, np.ndarray]:
    """What torch and ONNX Runtime make of one input, the weights being of the same seed."""
    session = nodes_session(graph, ONNX, session_options(ONNX))
    values = input_values(session, graph.inputs, ONNX)
    (by_onnx,) = session.run(None, values)
    with torch.inference_mode():
        (by_torch,) = build_module(graph, TORCH).module.eval()(*map(torch.from_numpy, values.values()))
    return by_torch.numpy(), by_onnx


def test_both_runtimes_compute_the_same_of_every_kind_of_layer(tmp_path):
    graph = network(tmp_path)
    by_torch, by_onnx = results(graph)
    assert by_torch.shape == graph.outputs[0].shape
    np.testing.assert_allclose(by_torch, by_onnx, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("function", ACTIVATIONS)
def test_every_activation_of_specs_is_built_alike(tmp_path, function):
    graph = network(tmp_path, f"input: [4, 3, 3]\nlayers: [{{type: activation, function: {function}}}]")
    by_torch, by_onnx = results(graph)
    np.testing.assert_allclose(by_torch, by_onnx, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", ["[9]", "[9, 8]", "[5, 6, 7]"])
def test_convolutions_over_any_axes_are_built_alike(tmp_path, size):
    graph = layer(tmp_path, f"type: conv, in_channels: 4, out_channels: 6, kernel: 3, stride: 2, input: {size}")
    by_torch, by_onnx = results(graph)
    assert by_torch.shape == graph.outputs[0].shape
    np.testing.assert_allclose(by_torch, by_onnx, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("position", range(len(DEFAULT_ALTERNATIVES)))
def test_every_alternative_is_built_alike(tmp_path, position):
    text = "type: conv, in_channels: 8, out_channels: 12, kernel: 3, stride: 2, padding: 1, groups: 2, input: [9, 8]"
    graph = layer(tmp_path, text)
    (compared,) = compare_graph(graph, [DEFAULT_ALTERNATIVES[position]]).layers
    nodes = [stage.node for stage in compared.candidates[0].stages]
    by_torch, by_onnx = results(graph_of_nodes(nodes))
    assert by_torch.shape == graph.outputs[0].shape
    np.testing.assert_allclose(by_torch, by_onnx, rtol=1e-4, atol=1e-5)


def test_linear_layers_run_on_flat_data_and_on_positions(tmp_path):
    for size in ("", ", input: [7]"):
        graph = layer(tmp_path, f"type: linear, in_features: 5, out_features: 3{size}")
        np.testing.assert_allclose(*results(graph), rtol=1e-4, atol=1e-5)


def test_the_textbook_form_is_the_standard_convolution_when_its_kernels_are_products(tmp_path):
    """The reordering between the halves is the one the form needs: with kernels that are outer products
    of a column and a row, it must give exactly what the dense convolution gives."""
    text = "type: conv, in_channels: 3, out_channels: 4, kernel: 3, bias: false, input: [6, 7]"
    graph = layer(tmp_path, text)
    (compared,) = compare_graph(graph, [SpatialSeparable()]).layers
    separable = graph_of_nodes([stage.node for stage in compared.candidates[0].stages])
    session = nodes_session(separable, ONNX, session_options(ONNX))
    data = input_values(session, separable.inputs, ONNX)
    (found,) = session.run(None, data)

    # The same random weights, by the order in which they are drawn.
    generator = np.random.default_rng(0)
    column, row = (random_weight(weight.shape, weight.dtype, generator) for weight in separable.weights)
    # column: (3 inputs x 4 outputs, 1, 3, 1), row: (4 outputs, 3 inputs, 1, 3)
    kernels = np.einsum("mnk,nml->nmkl", column.reshape(3, 4, 3), row.reshape(4, 3, 3))
    (values,) = data.values()
    dense = torch.nn.functional.conv2d(torch.from_numpy(values), torch.from_numpy(kernels)).numpy()
    np.testing.assert_allclose(found, dense, rtol=1e-4, atol=1e-5)


def node(op: object, *shapes: tuple[int, ...], dtype: DType = DType.FLOAT32) -> Graph:
    *reads, written = (Tensor(name=f"t{index}", shape=shape, dtype=dtype) for index, shape in enumerate(shapes))
    made = Node(name="n", op=op, operands=tuple(reads), outputs=(written,))
    return Graph(nodes=(made,), inputs=tuple(reads), outputs=(written,))


UNDESCRIBED = [
    node(Softmax(), (2, 3), (2, 3)),
    node(Activation(function="unheard of"), (2, 3), (2, 3)),
    node(Elementwise(function="unheard of"), (2, 3), (2, 3), (2, 3)),
    node(Move(action="transpose", shapes=((3, 2),), view=True), (2, 3), (3, 2)),
]


@pytest.mark.parametrize("graph", UNDESCRIBED, ids=lambda graph: type(graph.nodes[0].op).__name__)
def test_what_a_cost_description_does_not_say_is_refused_by_name(graph):
    for build in (lambda: build_module(graph, TORCH), lambda: build_model(graph)):
        with pytest.raises(UnrunnableError, match="'n'"):
            build()


def test_a_deformable_convolution_does_not_run_as_a_plain_one():
    ones = (1, 1)
    op = DeformConv(in_channels=2, out_channels=2, kernel=ones, stride=ones, pads=((0, 0),) * 2, dilation=ones)
    graph = node(op, (1, 2, 3, 3), (2, 2, 1, 1), (1, 2, 3, 3), (1, 2, 3, 3))
    for build in (lambda: build_module(graph, TORCH), lambda: build_model(graph)):
        with pytest.raises(UnrunnableError, match="DeformConv"):
            build()


def test_a_transpose_that_is_no_channel_reorder_is_none():
    assert channel_reorder(UNDESCRIBED[3].nodes[0], UNDESCRIBED[3]) is None


def test_a_graph_larger_than_the_limit_is_refused_with_its_bytes(tmp_path):
    graph = layer(tmp_path, "type: conv, in_channels: 64, out_channels: 64, kernel: 3, padding: 1, input: [56, 56]")
    (compared,) = compare_graph(graph, [SpatialSeparable()]).layers
    textbook = graph_of_nodes([stage.node for stage in compared.candidates[0].stages])
    maps = 64 * 64 * 56 * 56 * 4
    for build, setting in ((build_module, TORCH), (nodes_session, ONNX)):
        limited = Setting(runtime=setting.runtime, max_bytes=50_000_000)
        with pytest.raises(UnrunnableError, match="--max-bytes") as caught:
            build(textbook, limited) if build is build_module else build(textbook, limited, session_options(limited))
        assert caught.value.needed_bytes > maps
    build_module(graph, Setting(runtime="torch", max_bytes=50_000_000))


def test_weights_stay_outside_the_built_model(tmp_path):
    model = build_model(layer(tmp_path, "type: linear, in_features: 500, out_features: 500"))
    assert len(model.SerializeToString()) < 2000
    assert {tensor.data_location for tensor in model.graph.initializer} == {onnx.TensorProto.EXTERNAL}


def test_values_are_let_go_after_their_last_reader():
    x, a, b = (Tensor(name=name, shape=(2,)) for name in "xab")
    relu = Activation(function="relu")
    nodes = (
        Node(name="one", op=relu, operands=(x,), outputs=(a,)),
        Node(name="two", op=Elementwise(function="add"), operands=(a, x), outputs=(b,)),
    )
    module = build_module(Graph(nodes=nodes, inputs=(x,), outputs=(b,)), TORCH).module
    assert module._done == [[], ["a", "x"]]
    (result,) = module(torch.tensor([-1.0, 2.0]))
    assert result.tolist() == [-1.0, 4.0]
