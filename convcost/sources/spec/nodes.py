"""A layer's entry, wherever it stands, to a node of the graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from convcost.errors import ShapeError
from convcost.graph import Node, Origin, Tensor, Weight
from convcost.located import Located, LocatedMapping, choice_of, list_of, mapping_of, quoted
from convcost.sources.spec.entry import Entry
from convcost.sources.spec.layers import LAYER_TYPES, Lowered

_EVERY_LAYER = ("name", "type")
_ANY_KEY = tuple(
    dict.fromkeys(
        (
            *_EVERY_LAYER,
            "input",
            "batch",
            "dtype",
            "repeat",
            *(key for kind in LAYER_TYPES.values() for key in kind.keys),
        )
    )
)


class Names:
    """Names the layers of one list: `name`, or the type and its number among those of the list (`conv1`).

    In a block the block's name comes first (`block2.conv1`). Claimed names are unique in the whole file.
    """

    def __init__(self, scope: str = "", taken: set[str] | None = None) -> None:
        self._scope = f"{scope}." if scope else ""
        self._taken = set() if taken is None else taken
        self._numbers: Counter[str] = Counter()

    def within(self, scope: str) -> Names:
        """Names for the layers of a block."""
        return Names(scope, self._taken)

    def name(self, entry: Entry, word: str) -> str:
        self._numbers[word] += 1
        return self._scope + (entry.name() or f"{word}{self._numbers[word]}")

    def claim(self, name: str, entry: Entry) -> str:
        """The name, which no other layer has."""
        if name in self._taken:
            place = entry.mapping.entries["name"].where if "name" in entry else entry.mapping.where
            raise place.error(f"two layers are named {quoted(name)}", hint="give one of them another name")
        self._taken.add(name)
        return name


def layer_items(root: LocatedMapping) -> tuple[Located, ...]:
    """The layer under `layer`, or the one or more under `layers`."""
    if "layer" in root.entries and "layers" in root.entries:
        second = max(root.key_places["layer"], root.key_places["layers"], key=lambda place: (place.line, place.column))
        raise second.error("a spec has 'layer' or 'layers', not both", hint="put all of them under 'layers'")
    if "layer" in root.entries:
        return (root.entries["layer"],)
    return non_empty(root.required("layers", of="a spec"), "layers")


def non_empty(value: Located, key: str) -> tuple[Located, ...]:
    """The items of a list that has some."""
    items = list_of(value, key)
    if not items:
        raise value.where.error(f"{key} is an empty list", hint="a layer is written - {type: conv, ...}")
    return items


def read_layer(value: Located, more_keys: tuple[str, ...], elsewhere: Mapping[str, str]) -> tuple[str, Entry]:
    """A layer's type and its entry, all keys known; `elsewhere` are hints about keys of other places."""
    mapping = mapping_of(value, "a layer")
    if "type" not in mapping.entries:
        mapping.check_keys(_ANY_KEY, of="a layer", elsewhere=elsewhere)
    word = choice_of(mapping.required("type", of="a layer"), "type", tuple(LAYER_TYPES))
    entry = Entry(mapping=mapping, title=f"{'an' if word[0] in 'aeiou' else 'a'} {word} layer")
    mapping.check_keys((*_EVERY_LAYER, *LAYER_TYPES[word].keys, *more_keys), of=entry.title, elsewhere=elsewhere)
    return word, entry


def lower_layer(name: str, word: str, entry: Entry, data: Tensor) -> Node:
    """The node of a layer that reads `data`. Shape errors carry the layer's place."""
    where = entry.mapping.where
    try:
        lowered = LAYER_TYPES[word].lower(entry, data.shape)
        operands = (data, *_stored(name, lowered, data))
        outputs = lowered.op.output_shapes(tuple(tensor.shape for tensor in operands))
    except ShapeError as error:
        sizes = f"the layer's input, after the batch, is {list(data.shape[1:])}"
        hint = sizes if error.hint == error.general_hint else error.hint
        raise where.error(f"{name}: {error.message}", hint=hint) from None
    return Node(
        name=name,
        op=lowered.op,
        operands=operands,
        outputs=tuple(
            Tensor(
                name=f"{name}.output", shape=shape, dtype=data.dtype, alias=data.buffer if lowered.op.is_view else ""
            )
            for shape in outputs
        ),
        origin=Origin(operator=word, file=where.file, line=where.line),
    )


def _stored(name: str, lowered: Lowered, data: Tensor) -> tuple[Tensor, ...]:
    return tuple(
        Tensor.of(Weight(name=f"{name}.{part.name}", shape=part.shape, dtype=data.dtype, role=part.role))
        for part in lowered.stored
    )
