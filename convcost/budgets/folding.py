"""BatchNorm that an exporter folded into the convolution before it: fewer parameters, the same network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from convcost.analysis import Layer
from convcost.budgets.pairing import Pair
from convcost.budgets.wording import attributes_of
from convcost.dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Folding:
    """Norm layers that one side has and the other holds in its convolutions' weights and biases.

    `undone` where the new model is the one that has them apart. `pairs` are all the pairs this accounts for.
    """

    norms: tuple[Layer, ...]
    pairs: tuple[Pair, ...]
    undone: bool

    def text(self) -> str:
        """What happened, and by how much the parameters differ because of it."""
        many = f"{len(self.norms)} BatchNorm layer{'s' if len(self.norms) > 1 else ''}"
        params = sum(_delta(pair) for pair in self.pairs)
        verb = "are no longer folded" if self.undone else "were folded"
        return f"{many} {verb} into the convolutions before them: {params:+,} params, the same MACs"


def find_foldings(pairs: Sequence[Pair]) -> tuple[Folding, ...]:
    """At most one folding and one unfolding; a norm counts only where its convolution changed by its bias alone."""
    found = []
    for undone in (False, True):
        matches = list(_folded(pairs, undone=undone))
        if matches:
            norms = tuple(norm for norm, _ in matches)
            accounted = {id(pair): pair for _, several in matches for pair in several}
            found.append(Folding(norms=norms, pairs=tuple(accounted.values()), undone=undone))
    return tuple(found)


def _folded(pairs: Sequence[Pair], *, undone: bool) -> Iterator[tuple[Layer, tuple[Pair, Pair]]]:
    """Every norm that one side lacks, with its own pair and its convolution's."""
    producer: Pair | None = None
    for pair in pairs:
        here, there = (pair.new, pair.old) if undone else (pair.old, pair.new)
        if here is None:
            continue
        if there is None and _is_batch_norm(here) and producer is not None and _absorbs(producer, here, undone):
            yield here, (pair, producer)
            producer = None
        elif here.cost.macs:
            producer = pair


def _is_batch_norm(layer: Layer) -> bool:
    return layer.node.op.kind == "norm" and attributes_of(layer).get("method") == "batch"


def _absorbs(producer: Pair, norm: Layer, undone: bool) -> bool:
    """Whether a convolution differs from its other self by no more than the bias that the norm became."""
    apart, folded = (producer.new, producer.old) if undone else (producer.old, producer.new)
    if apart is None or folded is None:
        return False
    same = attributes_of(apart) == attributes_of(folded) and apart.cost.macs == folded.cost.macs
    feeds = apart.node.outputs[:1] and apart.node.outputs[0].shape == norm.node.outputs[0].shape
    return bool(same and feeds) and folded.storage.params - apart.storage.params in (0, norm.storage.params // 2)


def _delta(pair: Pair) -> int:
    return (pair.new.storage.params if pair.new else 0) - (pair.old.storage.params if pair.old else 0)
