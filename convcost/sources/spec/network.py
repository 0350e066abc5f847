"""Sequential networks: each layer reads what the one before it wrote."""

from __future__ import annotations

from collections.abc import Iterator

from convcost.errors import UsageError
from convcost.graph import Graph, Node, Shape, Tensor
from convcost.located import Located, LocatedMapping
from convcost.sources.request import InputSpec
from convcost.sources.spec.entry import MAX_SIZE, Entry
from convcost.sources.spec.layers import LAYER_TYPES
from convcost.sources.spec.nodes import Names, layer_items, lower_layer, non_empty, read_layer

INPUT_NAME = "input"
MAX_LAYERS = 10_000

_BLOCK_KEYS = ("name", "block", "repeat")
_ELSEWHERE = {
    "input": "the shapes of a network are chained from the `input` at the top",
    "batch": "a network has one batch, at the top",
    "dtype": "a network has one dtype, at the top",
}


def read_network(root: LocatedMapping, path: str, inputs: tuple[InputSpec, ...]) -> Graph:
    """The graph of a file with an `input` at its top; `inputs` may give that input another shape or dtype."""
    head = Entry(mapping=root, title="a network")
    sizes = head.sizes("input", lengths=range(1, 5), like="[3, 224, 224]")
    written = Tensor(name=INPUT_NAME, shape=(head.size("batch", 1), *sizes), dtype=head.dtype())
    start = _requested_input(written, inputs)
    chain = _Chain(start)
    chain.add(layer_items(root), Names())
    return Graph(
        nodes=tuple(chain.nodes),
        inputs=(start,),
        outputs=(chain.data,),
        weights=tuple(weight for node in chain.nodes for weight in node.weights),
        target=path,
        source="spec",
    )


class _Chain:
    """The nodes so far, and the tensor that the next one reads."""

    def __init__(self, start: Tensor) -> None:
        self.data = start
        self.nodes: list[Node] = []

    def add(self, items: tuple[Located, ...], names: Names) -> None:
        for item in items:
            if isinstance(item, LocatedMapping) and "block" in item.entries:
                self._add_block(item, names)
            else:
                self._add_layer(item, names)

    def _add_block(self, mapping: LocatedMapping, names: Names) -> None:
        block = Entry(mapping=mapping, title="a block")
        mapping.check_keys(_BLOCK_KEYS, of=block.title)
        items = non_empty(mapping.entries["block"], "block")
        for name in _passes(block, names.name(block, "block")):
            self.add(items, names.within(name))

    def _add_layer(self, item: Located, names: Names) -> None:
        word, entry = read_layer(item, ("repeat",), _ELSEWHERE)
        for name in _passes(entry, names.name(entry, word)):
            if len(self.nodes) == MAX_LAYERS:
                raise entry.mapping.where.error(
                    f"more than {MAX_LAYERS:,} layers, repetitions spelled out", hint="lower a repeat"
                )
            self._check_flat(name, word, entry)
            self.nodes.append(lower_layer(names.claim(name, entry), word, entry, self.data))
            (self.data,) = self.nodes[-1].outputs

    def _check_flat(self, name: str, word: str, entry: Entry) -> None:
        if LAYER_TYPES[word].flat_input and len(self.data.shape) > 2:
            raise entry.mapping.where.error(
                f"{name}: its input {_plain(self.data.shape)} is a feature map", hint="put {type: flatten} before it"
            )


def _passes(entry: Entry, name: str) -> Iterator[str]:
    """The name of each repetition, numbered from 1 wherever `repeat` is written, even as 1."""
    if "repeat" not in entry:
        return iter((name,))
    return (f"{name}.{number}" for number in range(1, entry.size("repeat") + 1))


def _requested_input(written: Tensor, inputs: tuple[InputSpec, ...]) -> Tensor:
    if not inputs:
        return written
    if len(inputs) > 1:
        raise UsageError(f"a spec's network has one input, not {len(inputs)}", hint="give --input once")
    (asked,) = inputs
    if asked.name not in (None, INPUT_NAME):
        raise UsageError(f"unknown input '{asked.name}'", hint=f"a spec's network calls its input '{INPUT_NAME}'")
    like = "x".join(map(str, written.shape))
    if len(asked.shape) != len(written.shape):
        raise UsageError(
            f"--input has {len(asked.shape)} sizes, the network's input {len(written.shape)}, the batch first",
            hint=f"the spec itself says --input {like}",
        )
    if not all(1 <= size <= MAX_SIZE for size in asked.shape):
        raise UsageError(f"--input sizes lie from 1 to {MAX_SIZE}", hint=f"the spec itself says --input {like}")
    return Tensor(name=INPUT_NAME, shape=asked.shape, dtype=asked.dtype or written.dtype)


def _plain(shape: Shape) -> str:
    return str(list(shape[1:]))
