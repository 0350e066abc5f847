"""Which layer of a new model is which layer of the old one."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence

from convcost.analysis import Layer
from convcost.budgets.wording import attributes_of
from convcost.dataclasses import dataclass

_FAMILIES = {"depthwise": "conv", "pointwise": "conv"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A layer before and after; without `old` it was added, without `new` removed."""

    old: Layer | None
    new: Layer | None

    @property
    def name(self) -> str:
        return (self.new or self._either).name

    @property
    def is_renamed(self) -> bool:
        return self.old is not None and self.new is not None and self.old.name != self.new.name

    @property
    def _either(self) -> Layer:
        layer = self.new or self.old
        if layer is None:
            raise ValueError("a pair is of at least one layer")
        return layer


def pair_layers(old: Sequence[Layer], new: Sequence[Layer]) -> tuple[Pair, ...]:
    """Every layer of both once: in the order of the new, the removed ones after the layer they followed.

    Layers go together by name (and family of op), then by kind, attributes and shapes, then by kind and output shape;
    where several fit, the first with the first. What is left under one name has become something else.
    """
    passes: tuple[Callable[[Layer], Hashable], ...] = (
        lambda layer: (layer.name, _family(layer)),
        lambda layer: (layer.node.op.kind, _shapes(layer), repr(attributes_of(layer))),
        lambda layer: (layer.node.op.kind, tuple(tensor.shape for tensor in layer.node.outputs)),
        lambda layer: layer.name,
    )
    partner: dict[str, Layer] = {}
    left = list(old)
    for key in passes:
        waiting: defaultdict[Hashable, deque[Layer]] = defaultdict(deque)
        for layer in left:
            waiting[key(layer)].append(layer)
        for layer in new:
            if layer.name not in partner and (fitting := waiting[key(layer)]):
                partner[layer.name] = fitting.popleft()
        taken = {layer.name for layer in partner.values()}
        left = [layer for layer in old if layer.name not in taken]
    return tuple(_in_order(old, new, partner, {layer.name for layer in left}))


def _in_order(
    old: Sequence[Layer], new: Sequence[Layer], partner: dict[str, Layer], removed: set[str]
) -> Iterable[Pair]:
    followed: defaultdict[str, list[Layer]] = defaultdict(list)
    before = ""
    for layer in old:
        if layer.name in removed:
            followed[before].append(layer)
        else:
            before = layer.name
    yield from (Pair(old=layer, new=None) for layer in followed[""])
    for layer in new:
        match = partner.get(layer.name)
        yield Pair(old=match, new=layer)
        if match is not None:
            yield from (Pair(old=gone, new=None) for gone in followed[match.name])


def _family(layer: Layer) -> str:
    kind = layer.node.op.kind
    return _FAMILIES.get(kind, kind)


def _shapes(layer: Layer) -> Hashable:
    node = layer.node
    return (tuple(tensor.shape for tensor in node.inputs), tuple(tensor.shape for tensor in node.outputs))
