"""Kernels traced back to layers by the names of tensors alone."""

from __future__ import annotations

from convcost.graph import Graph, Node, Tensor
from convcost.graph.ops import Activation, Conv, Elementwise
from convcost.latency.attribution import Kernel, attribute_kernels
from convcost.latency.hooked import ModuleTime, layer_times, nodes_by_module, timed_together

ONE = (1, 1)
RELU = Activation(function="relu")


def conv(channels: int = 4) -> Conv:
    return Conv(in_channels=4, out_channels=channels, kernel=ONE, stride=ONE, pads=((0, 0),) * 2, dilation=ONE)


def tensor(name: str) -> Tensor:
    return Tensor(name=name, shape=(1, 4, 5, 5))


def residual() -> Graph:
    """x -> conv1 -> relu1 -> conv2 -> add(x) -> relu2."""
    x, c1, r1, c2, s, r2 = map(tensor, ("x", "c1", "r1", "c2", "s", "r2"))
    kernel = Tensor(name="w", shape=(4, 4, 1, 1))
    nodes = (
        Node(name="conv1", op=conv(), operands=(x, kernel), outputs=(c1,)),
        Node(name="relu1", op=RELU, operands=(c1,), outputs=(r1,)),
        Node(name="conv2", op=conv(), operands=(r1, kernel), outputs=(c2,)),
        Node(name="add", op=Elementwise(function="add"), operands=(c2, x), outputs=(s,)),
        Node(name="relu2", op=RELU, operands=(s,), outputs=(r2,)),
    )
    return Graph(nodes=nodes, inputs=(x, kernel), outputs=(r2,))


def kernel(name: str, reads: str, writes: str) -> Kernel:
    operator = name if name.startswith("Reorder") else "Conv"
    return Kernel(name=name, operator=operator, reads=tuple(reads.split()), writes=tuple(writes.split()))


def test_unfused_kernels_are_their_own_layers():
    kernels = [
        kernel("a", "x w", "c1"),
        kernel("b", "c1", "r1"),
        kernel("c", "r1 w", "c2"),
        kernel("d", "c2 x", "s"),
        kernel("e", "s", "r2"),
    ]
    found = attribute_kernels(kernels, residual())
    assert found.layers == ("conv1", "relu1", "conv2", "add", "relu2")
    assert found.timed_with == {}


def test_a_fused_convolution_carries_what_was_fused_into_it():
    kernels = [kernel("fused", "x w", "r1"), kernel("fused2", "r1 w x", "r2")]
    found = attribute_kernels(kernels, residual())
    assert found.layers == ("conv1", "conv2")
    assert found.timed_with == {"relu1": "conv1", "add": "conv2", "relu2": "conv2"}


def test_blocked_convolutions_are_known_by_the_output_they_are_called_after():
    kernels = [
        kernel("ReorderInput", "x", "token0"),
        kernel("r1_nchwc", "token0 w", "token1"),
        kernel("r2_nchwc", "token1 w token0", "token2"),
        kernel("ReorderOutput", "token2", "r2"),
    ]
    found = attribute_kernels(kernels, residual())
    # The change of layout before belongs to its reader, the one after to the layer whose values it passes on.
    assert found.layers == ("conv1", "conv1", "conv2", "conv2")
    assert found.timed_with == {"relu1": "conv1", "add": "conv2", "relu2": "conv2"}


def test_a_sum_fused_into_a_blocked_convolution_belongs_to_it_and_not_to_the_next():
    """Such a kernel is called after the convolution, though it writes what the sum and its activation give."""
    x, y = tensor("r2"), tensor("y")
    weight = Tensor(name="w", shape=(4, 4, 1, 1))
    following = Node(name="conv3", op=conv(), operands=(x, weight), outputs=(y,))
    block = residual()
    graph = Graph(nodes=(*block.nodes, following), inputs=block.inputs, outputs=(y,))
    kernels = [
        kernel("r1_nchwc", "x w", "token1"),
        kernel("c2_nchwc", "token1 w x", "token2"),
        kernel("y_nchwc", "token2 w", "token3"),
        kernel("ReorderOutput", "token3", "y"),
    ]
    found = attribute_kernels(kernels, graph)
    assert found.layers == ("conv1", "conv2", "conv3", "conv3")
    assert found.timed_with == {"relu1": "conv1", "add": "conv2", "relu2": "conv2"}


def test_a_change_of_layout_after_a_fused_sum_belongs_to_the_convolution():
    kernels = [
        kernel("r1_nchwc", "x w", "token1"),
        kernel("c2_nchwc", "token1 w x", "token2"),
        kernel("ReorderOutput", "token2", "r2"),
    ]
    found = attribute_kernels(kernels, residual())
    assert found.layers == ("conv1", "conv2", "conv2")
    assert found.timed_with == {"relu1": "conv1", "add": "conv2", "relu2": "conv2"}


def test_a_kernel_that_nothing_connects_is_unattributed():
    found = attribute_kernels([kernel("mystery", "p", "q")], residual())
    assert found.layers == (None,)


def test_layers_lie_in_the_module_of_the_longest_called_path():
    nodes = residual().nodes
    groups = nodes_by_module(nodes, ["", "conv1", "relu1"])
    assert {path: [node.name for node in group] for path, group in groups.items()} == {
        "conv1": ["conv1"],
        "relu1": ["relu1"],
        "": ["conv2", "add", "relu2"],
    }


def test_a_module_with_several_layers_is_timed_as_one():
    groups = nodes_by_module(residual().nodes, ["", "conv1", "relu1"])
    assert timed_together(groups, {"": 1, "conv1": 1, "relu1": 1}) == {"add": "conv2", "relu2": "conv2"}
    run = [
        ModuleTime(path="", own=0.5),
        ModuleTime(path="conv1", own=2.0),
        ModuleTime(path="relu1", own=1.0),
        ModuleTime(path="dropout", own=0.25),
    ]
    times = layer_times(run, groups)
    assert times.layers == {"conv1": 2.0, "relu1": 1.0, "conv2": 0.5}
    assert times.unattributed == 0.25


def test_a_module_called_once_for_each_of_its_layers_is_told_apart():
    first, second = residual().nodes[1], residual().nodes[4]
    groups = {"relu": (first, second)}
    assert timed_together(groups, {"relu": 2}) == {}
    times = layer_times([ModuleTime(path="relu", own=1.0), ModuleTime(path="relu", own=3.0)], groups)
    assert times.layers == {"relu1": 1.0, "relu2": 3.0}
