"""Alike nodes share what they come to: never more than what each comes to on its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.analysis import analyze_graph, layer_costs
from convcost.analysis.alike import Alike, Work
from convcost.analysis.handed_on import handed_on
from convcost.analysis.result import Storage
from convcost.graph import DType, Graph, Node, Role, Tensor, Weight
from convcost.graph.ops import (
    ALL_OPS,
    Activation,
    AdaptivePool,
    Attention,
    Conv,
    ConvTranspose,
    DeformConv,
    Einsum,
    Elementwise,
    FftConv,
    Fourier,
    Gather,
    Linear,
    MatMul,
    Move,
    Normalize,
    Op,
    Pool,
    Recurrent,
    Reduce,
    Resample,
    Softmax,
    Unknown,
    WinogradConv,
)

DTYPES = (DType.FLOAT32, DType.INT4, DType.FLOAT64, DType.COMPLEX64)  # the last two are of one size
SHAPES = ((4, 4), (2, 4), (2, 8))  # the first and the last are of one size
OPS: tuple[Op, ...] = (
    Linear(in_features=4, out_features=4),
    MatMul(),
    MatMul(transpose_a=True),
    Elementwise(function="add"),
    Elementwise(function="add", operations=2),
    Gather(),
    Move(action="copy", shapes=()),
    Move(action="copy", shapes=(), view=True),
    Normalize(method="batch"),
    Normalize(method="layer"),
    Unknown(operator="my::op", reason="no lowering"),
)
PLAIN = {"stride": (1,), "pads": ((0, 0),), "dilation": (1,)}
CONV = {"in_channels": 2, "out_channels": 2, "kernel": (3,), **PLAIN}
MAP = (1, 2, 9)
EVERY_OP: tuple[tuple[Op, tuple[tuple[int, ...], ...]], ...] = (
    (Conv(**CONV), (MAP, (2, 2, 3), (2,))),
    (ConvTranspose(**CONV, output_padding=(0,)), (MAP, (2, 2, 3), (2,))),
    (DeformConv(**CONV, masked=True), (MAP, (2, 2, 3), (1, 3, 7), (1, 3, 7), (2,))),
    (WinogradConv(**CONV, tile=2), (MAP, (2, 2, 3), (2,))),
    (FftConv(**CONV), (MAP, (2, 2, 3), (2,))),
    (Linear(in_features=9, out_features=4), (MAP, (4, 9), (4,))),
    (MatMul(), ((2, 3), (3, 4), (4,))),
    (Einsum(equation="ij,jk->ik"), ((2, 3), (3, 4))),
    (Attention(causal=True), ((2, 3, 4), (2, 3, 4), (2, 3, 4), (3, 3))),
    (Recurrent(cell="lstm", input_size=9, hidden_size=4, layers=2), (MAP, (16, 9), (16, 4))),
    (Normalize(method="batch"), (MAP, (2,), (2,), (2,), (2,))),
    (Softmax(), (MAP,)),
    (Activation(function="relu"), (MAP,)),
    (Elementwise(function="add"), (MAP, MAP)),
    (Pool(method="max", kernel=(2,), **PLAIN), (MAP,)),
    (AdaptivePool(method="avg", output_size=(1,)), (MAP,)),
    (Reduce(function="sum"), (MAP,)),
    (Resample(interpolation="linear", output_size=(18,)), (MAP,)),
    (Fourier(axes=(2,)), (MAP,)),
    (Gather(), ((10, 4), (3,))),
    (Move(action="copy", shapes=(MAP,)), (MAP,)),
    (Unknown(operator="my::op", reason="no lowering", shapes=(MAP,)), (MAP,)),
)


class Seen:
    """A tensor that remembers what it is asked for."""

    def __init__(self, tensor: Tensor, asked: set[str]) -> None:
        self._tensor, self._asked = tensor, asked

    def __getattr__(self, name: str) -> object:
        self._asked.add(name)
        return getattr(self._tensor, name)


@pytest.mark.parametrize(("op", "shapes"), EVERY_OP, ids=[type(op).__name__ for op, _ in EVERY_OP])
def test_a_cost_hangs_on_nothing_that_alike_nodes_may_differ_in(op: Op, shapes: tuple[tuple[int, ...], ...]) -> None:
    """Were an op to look at more, say whether an operand is stored, `alike._key_of` would have to look there too."""
    asked: set[str] = set()
    operands = tuple(Seen(Tensor(name=f"t{at}", shape=shape), asked) for at, shape in enumerate(shapes))
    outputs = tuple(Seen(Tensor(name="y", shape=shape), asked) for shape in op.output_shapes(shapes))
    op.cost(operands, outputs)
    assert asked <= {"name", "shape", "dtype", "nbytes"}


def test_no_op_is_left_out_of_that() -> None:
    assert [type(op) for op, _ in EVERY_OP] == list(ALL_OPS)


STORED = [
    Weight(name=f"w{shape}{dtype.value}{role.value}{packed}{copy}", shape=shape, dtype=dtype, role=role, packed=packed)
    for shape in SHAPES
    for dtype in DTYPES
    for role in Role
    for packed in (None, 3)
    for copy in range(2)
]
INPUTS = {
    (shape, dtype, copy): Tensor(name=f"x{shape}{dtype.value}{copy}", shape=shape, dtype=dtype)
    for shape in SHAPES
    for dtype in DTYPES
    for copy in range(2)
}
WRITTEN_IN_PLACE = INPUTS[SHAPES[0], DTYPES[0], 0]
OPERANDS = st.one_of(st.sampled_from([*INPUTS.values()]), st.sampled_from(STORED).map(Tensor.of))
OUTPUTS = st.builds(
    Tensor,
    name=st.just(""),
    shape=st.sampled_from(SHAPES),
    dtype=st.sampled_from(DTYPES),
    alias=st.sampled_from(["", WRITTEN_IN_PLACE.name]),
)
NODES = st.builds(
    Node,
    name=st.just(""),
    op=st.sampled_from(OPS),
    operands=st.lists(OPERANDS, min_size=2, max_size=4).map(tuple),
    outputs=st.lists(OUTPUTS, min_size=1, max_size=2).map(tuple),
    repeat=st.integers(1, 2),
)


def variations(node: Node) -> Iterator[Node]:
    """The node again, and whatever differs from it in one thing."""
    yield node
    yield replace(node, repeat=node.repeat + 1)
    yield from (replace(node, op=op) for op in OPS if type(op) is type(node.op))
    for at, operand in enumerate(node.operands):
        shapes = [INPUTS[shape, operand.dtype, 0] for shape in SHAPES]
        dtypes = [INPUTS[operand.shape, dtype, 0] for dtype in DTYPES]
        twin = INPUTS[operand.shape, operand.dtype, 1]
        for other in (*shapes, *dtypes, twin, *node.operands):
            yield replace(node, operands=(*node.operands[:at], other, *node.operands[at + 1 :]))
    first, *more = node.outputs
    outputs = [replace(first, shape=shape) for shape in SHAPES] + [replace(first, dtype=dtype) for dtype in DTYPES]
    for other in (*outputs, replace(first, alias=""), replace(first, alias=WRITTEN_IN_PLACE.name)):
        yield replace(node, outputs=(other, *more))


def graph_of(nodes: Iterable[Node]) -> Graph:
    return Graph(nodes=tuple(_named(nodes)), inputs=tuple(INPUTS.values()), weights=tuple(STORED))


def _named(nodes: Iterable[Node]) -> Iterator[Node]:
    for step, node in enumerate(nodes):
        outputs = tuple(replace(tensor, name=f"y{step}_{at}") for at, tensor in enumerate(node.outputs))
        yield replace(node, name=f"n{step}", outputs=outputs)


@given(st.lists(NODES, min_size=1, max_size=3))
def test_every_node_of_a_graph_costs_what_it_costs_on_its_own(drawn: list[Node]) -> None:
    """Nodes that repeat, share weights, read a tensor twice or write in place, beside some that nearly do."""
    graph = graph_of(each for node in drawn for each in variations(node))
    layers = analyze_graph(graph).layers
    for layer, node in zip(layers, graph.nodes, strict=True):
        assert layer.cost == node.op.cost(node.operands, node.outputs) * node.repeat
        assert layer.activation_bytes == node.repeat * sum(each.nbytes for each in node.outputs if not each.alias)
    assert layers == handed_on(layer_costs(graph.nodes))


def test_weights_hold_what_they_hold_on_their_own() -> None:
    alike = Alike()
    for weights in (*itertools.product(STORED), *itertools.product(STORED[::3], repeat=2)):
        assert alike.storage(weights) == Storage.of(weights)


def test_an_operand_is_not_taken_for_an_output() -> None:
    op = Elementwise(function="add")
    a, b, c = (Tensor(name=name, shape=(8,)) for name in "abc")
    alike = Alike()
    for operands, outputs in (((a, b), (c,)), ((a,), (b, c))):
        node = Node(name="add", op=op, operands=operands, outputs=outputs)
        assert alike.work(node) == Work.of(node)


X = Tensor(name="x", shape=(4, 4))


def block(name: str) -> Node:
    """A block as networks repeat it."""
    operands = (X, Tensor.of(Weight(name=f"{name}.weight", shape=(4, 4))))
    return Node(
        name=name,
        op=Linear(in_features=4, out_features=4),
        operands=operands,
        outputs=(Tensor(name=f"{name}.y", shape=(4, 4)),),
    )


def test_alike_nodes_share_what_they_come_to() -> None:
    first, second = block("a"), block("b")
    graph = Graph(nodes=(first, second), inputs=(X,), weights=(*first.weights, *second.weights))
    one, other = analyze_graph(graph).layers
    assert one.cost is other.cost
    assert one.storage is other.storage


def test_reading_one_tensor_twice_is_not_like_reading_two() -> None:
    y, z = (Tensor(name=name, shape=X.shape) for name in "yz")
    once, twice = (
        Node(name="add", op=Elementwise(function="add"), operands=operands, outputs=(z,))
        for operands in ((X, X), (X, y))
    )
    alike = Alike()
    assert [alike.work(node).cost.bytes_read for node in (once, twice, once)] == [64, 128, 64]
    assert alike.work(twice) == Work.of(twice)


def test_layers_of_sizes_that_have_no_hash_are_counted() -> None:
    """A grid's sizes stand for many numbers at once."""

    class Size(int):
        __hash__ = None

    x, y = (Tensor(name=name, shape=(Size(8),)) for name in "xy")
    (layer,) = layer_costs([Node(name="relu", op=Activation(function="relu"), operands=(x,), outputs=(y,))])
    assert layer.cost.other_ops == 8
