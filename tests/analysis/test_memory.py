from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcost.analysis.memory import peak_activation_bytes
from convcost.graph import Graph, Node, Tensor, Weight
from convcost.graph.ops import Elementwise, Recurrent


@dataclasses.dataclass
class Memory:
    """Buffers that are freed as soon as nobody ahead wants them, with the sizes of those that are seen themselves."""

    sizes: dict[str, int]
    held: dict[str, int] = dataclasses.field(default_factory=dict)
    peak: int = 0

    def hold(self, tensor: Tensor) -> None:
        self.held.setdefault(tensor.buffer, self.sizes.get(tensor.buffer, tensor.nbytes))

    def pass_on(self, node: Node, wanted: set[str]) -> None:
        """From layer to layer of a stacked op, when its inputs may be gone."""
        if passing := node.op.passing_bytes(node.outputs):
            gone = {tensor.buffer for tensor in node.inputs} - wanted - {tensor.buffer for tensor in node.outputs}
            left = [size for buffer, size in self.held.items() if buffer not in gone]
            self.peak = max(self.peak, sum(left) + passing)

    def release(self, wanted: set[str]) -> None:
        self.peak = max(self.peak, sum(self.held.values()))
        self.held = {buffer: size for buffer, size in self.held.items() if buffer in wanted}


def simulate(graph: Graph) -> int:
    """Runs the graph one node at a time, looking through everything that is still to come at every step."""
    seen = [[tensor for tensor in (*node.inputs, *node.outputs) if tensor.weight is None] for node in graph.nodes]
    memory = Memory({tensor.name: tensor.nbytes for tensor in itertools.chain(*seen) if not tensor.alias})
    outputs = {tensor.buffer for tensor in graph.outputs}
    for step, node in enumerate(graph.nodes):
        for tensor in seen[step]:
            memory.hold(tensor)
        wanted = {tensor.buffer for ahead in seen[step + 1 :] for tensor in ahead}
        memory.pass_on(node, wanted | outputs if step + 1 < len(seen) else set())
        memory.release(wanted | outputs)
    return memory.peak


def op(name: str, reads: list[Tensor], *writes: Tensor) -> Node:
    return Node(name=name, op=Elementwise(function="any"), operands=tuple(reads), outputs=writes)


OPS = (Elementwise(function="any"), Recurrent(cell="rnn", input_size=1, hidden_size=1, layers=2))


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Random networks whose nodes read anything written so far and give new tensors, views, and in-place results, also
    of stored tensors and of one another."""
    weight = Weight(name="w", shape=(100,))
    sizes = st.integers(1, 9)  # a slice is smaller than its owner, an expanded view larger
    inputs = [Tensor(name=f"x{i}", shape=(draw(sizes),)) for i in range(draw(st.integers(1, 2)))]
    inputs += [Tensor(name="part", shape=(draw(sizes),), alias="x0")] if draw(st.booleans()) else []
    written = list(inputs)
    nodes = []
    for step in range(draw(st.integers(1, 10))):
        reads = draw(st.lists(st.sampled_from(written), min_size=1, max_size=3))
        operands = [*reads, *([Tensor.of(weight)] if draw(st.booleans()) else [])]
        results: list[Tensor] = []
        for slot in range(draw(st.integers(1, 2))):
            owners = ["", "", "w", *[tensor.buffer for tensor in (*reads, *results)]]
            alias = draw(st.sampled_from(owners))
            stored = weight if alias == "w" and draw(st.booleans()) else None
            results.append(Tensor(name=f"t{step}_{slot}", shape=(draw(sizes),), alias=alias, weight=stored))
        made = dataclasses.replace(op(f"n{step}", operands, *results), op=draw(st.sampled_from(OPS)))
        nodes.append(made)
        written.extend(results)
    outputs = draw(st.lists(st.sampled_from(written), max_size=2))
    return Graph(nodes=tuple(nodes), inputs=tuple(inputs), outputs=tuple(outputs), weights=(weight,))


@settings(max_examples=600)
@given(graphs())
def test_the_peak_is_what_running_and_freeing_step_by_step_reaches(graph: Graph) -> None:
    assert peak_activation_bytes(graph) == simulate(graph)


X = Tensor(name="x", shape=(10,))  # 40 bytes


def chain(*outputs: Tensor, result: Tensor, more: tuple[Tensor, ...] = ()) -> Graph:
    tensors = [X, *outputs]
    nodes = tuple(op(f"n{i}", [a], b) for i, (a, b) in enumerate(itertools.pairwise(tensors)))
    return Graph(nodes=nodes, inputs=(X, *more), outputs=(result,))


def test_a_chain_holds_two_neighbours_at_a_time() -> None:
    y, z = Tensor(name="y", shape=(5,)), Tensor(name="z", shape=(20,))
    assert peak_activation_bytes(chain(y, z, result=z)) == max(40 + 20, 20 + 80)


def test_a_skip_connection_keeps_its_source_alive() -> None:
    y, z, s = (Tensor(name=name, shape=(10,)) for name in "yzs")
    nodes = (op("a", [X], y), op("b", [y], z), op("add", [X, z], s))
    assert peak_activation_bytes(Graph(nodes=nodes, inputs=(X,), outputs=(s,))) == 3 * 40


def test_an_in_place_result_needs_no_memory() -> None:
    y = Tensor(name="y", shape=(10,), alias="x")
    assert peak_activation_bytes(chain(y, result=y)) == 40


def test_a_view_keeps_its_owner_alive() -> None:
    y = Tensor(name="y", shape=(10,))
    view = Tensor(name="v", shape=(5, 2), alias="y")
    other, end = Tensor(name="o", shape=(10,)), Tensor(name="e", shape=(10,))
    nodes = (op("a", [X], y), op("view", [y], view), op("b", [X], other), op("c", [other, view], end))
    assert peak_activation_bytes(Graph(nodes=nodes, inputs=(X,), outputs=(end,))) == 3 * 40


def test_a_result_and_a_view_of_it_from_one_node_are_one_memory() -> None:
    y, view = Tensor(name="y", shape=(10,)), Tensor(name="v", shape=(10,), alias="y")
    end = Tensor(name="e", shape=(5,))
    nodes = (op("both", [X], y, view), op("use", [view], end))
    assert peak_activation_bytes(Graph(nodes=nodes, inputs=(X,), outputs=(end,))) == 40 + 40
    unread = (op("both", [X], y, view), op("use", [X], end))
    assert peak_activation_bytes(Graph(nodes=unread, inputs=(X,), outputs=(end,))) == 40 + 40


def test_a_buffer_written_in_place_is_as_large_as_what_is_first_seen_of_it() -> None:
    stored = Weight(name="w", shape=(10,))
    row, whole = Tensor(name="row", shape=(5,), alias="w"), Tensor(name="all", shape=(10,), alias="w")
    nodes = (op("a", [X], row), op("b", [row], whole))
    assert peak_activation_bytes(Graph(nodes=nodes, inputs=(X,), weights=(stored,))) == 40 + 20


@pytest.mark.parametrize("elements", [5, 1000])
def test_a_view_is_as_large_as_its_owner_whatever_it_shows(elements: int) -> None:
    view, y = Tensor(name="v", shape=(elements,), alias="x"), Tensor(name="y", shape=(1,))
    seen_after = (op("view", [X], view), op("use", [view], y))
    assert peak_activation_bytes(Graph(nodes=seen_after, inputs=(X,), outputs=(y,))) == 40 + 4
    seen_first = (op("use", [view, X], y),)
    assert peak_activation_bytes(Graph(nodes=seen_first, inputs=(view, X), outputs=(y,))) == 40 + 4


def test_an_input_lives_from_its_first_use() -> None:
    late = Tensor(name="late", shape=(1000,))
    y, z = Tensor(name="y", shape=(100,)), Tensor(name="z", shape=(1,))
    end = Tensor(name="end", shape=(1,))
    nodes = (op("a", [X], y), op("b", [y], z), op("c", [z, late], end))
    assert peak_activation_bytes(Graph(nodes=nodes, inputs=(X, late), outputs=(end,))) == 4000 + 4 + 4


def test_an_output_lives_to_the_end() -> None:
    early, y, z = Tensor(name="early", shape=(50,)), Tensor(name="y", shape=(10,)), Tensor(name="z", shape=(10,))
    nodes = (op("a", [X], early), op("b", [X], y), op("c", [y], z))
    assert peak_activation_bytes(Graph(nodes=nodes, inputs=(X,), outputs=(early, z))) == 200 + 40 + 40


def test_an_input_handed_back_lives_to_the_end() -> None:
    changed = Tensor(name="changed", shape=(10,), alias="x")
    y, z = Tensor(name="y", shape=(30,)), Tensor(name="z", shape=(30,))
    nodes = (op("in_place", [X], changed), op("a", [changed], y), op("b", [y], z))
    assert peak_activation_bytes(Graph(nodes=nodes, inputs=(X,), outputs=(changed, z))) == 40 + 120 + 120


@pytest.mark.parametrize("width", [3, 30])
def test_a_stack_of_recurrent_layers_needs_what_its_layers_need_one_by_one(width: int) -> None:
    x, y, z = (Tensor(name=name, shape=(7, size)) for name, size in (("x", width), ("y", 10), ("z", 10)))
    first, second = (Recurrent(cell="gru", input_size=size, hidden_size=10) for size in (width, 10))
    stack = Recurrent(cell="gru", input_size=width, hidden_size=10, layers=2)
    apart = (
        Node(name="a", op=first, operands=(x,), outputs=(y,)),
        Node(name="b", op=second, operands=(y,), outputs=(z,)),
    )
    together = (Node(name="ab", op=stack, operands=(x,), outputs=(z,)),)
    needs = [peak_activation_bytes(Graph(nodes=nodes, inputs=(x,), outputs=(z,))) for nodes in (apart, together)]
    assert needs == [4 * 7 * (max(width, 10) + 10)] * 2


def test_what_a_stack_reads_and_others_read_later_stays_beside_what_passes_in_it() -> None:
    x, z, s = (Tensor(name=name, shape=(7, 10)) for name in "xzs")
    stack = Recurrent(cell="rnn", input_size=10, hidden_size=10, layers=3)
    nodes = (Node(name="rnn", op=stack, operands=(x,), outputs=(z,)), op("add", [x, z], s))
    assert peak_activation_bytes(Graph(nodes=nodes, inputs=(x,), outputs=(s,))) == 3 * 280


def test_weights_are_no_activations() -> None:
    weight = Weight(name="w", shape=(1000,))
    y = Tensor(name="y", shape=(10,))
    graph = Graph(nodes=(op("a", [X, Tensor.of(weight)], y),), inputs=(X,), outputs=(y,), weights=(weight,))
    assert peak_activation_bytes(graph) == 80


def test_a_graph_without_nodes_needs_nothing() -> None:
    assert peak_activation_bytes(Graph(nodes=(), inputs=(X,), outputs=(X,))) == 0
