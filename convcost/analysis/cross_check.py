"""A second opinion set beside an analysis: where another counter differs, and why, as far as the sums prove it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations

from convcost.analysis.result import Analysis, Json, Layer
from convcost.dataclasses import dataclass

PEERS: Mapping[str, str] = {"fvcore": "fvcore", "torch": "torch's FlopCounterMode"}

# Operators of torch that do a module's work behind one call, its fast path: of attention alone, or of a whole layer.
_FUSED_ATTENTION, _FUSED_LAYER = "_native_multi_head_attention", "_transformer_encoder_layer_fwd"

# Which of our families do the work of an operator that goes by another name there.
_FAMILIES: Mapping[str, str] = {
    "scaled_dot_product_attention": "attention",
    "_scaled_dot_product_flash_attention_for_cpu": "attention",
    "_convolution_mode": "conv",
    "lstm": "recurrent",
    "gru": "recurrent",
    "rnn_tanh": "recurrent",
    "rnn_relu": "recurrent",
    "mkldnn_rnn_layer": "recurrent",
}
_MOST_OPERATORS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What a peer counts, by module path: products, what it adds to them, and the operators it has no rule for."""

    peer: str
    version: str
    products: Mapping[str, int]
    additions: Mapping[str, Mapping[str, int]]
    unruled: Mapping[str, frozenset[str]]
    ran_on: str

    @property
    def total(self) -> int:
        """The peer's own answer for the whole model, in its own mixture."""
        return sum(self.products.values()) + sum(sum(added.values()) for added in self.additions.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a peer differs, and by how much: positive where it counts more than convcost."""

    text: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A module whose own operations (not those of modules below it) two counters see differently."""

    module: str
    ours: int
    theirs: int
    reasons: tuple[Reason, ...]

    @property
    def unexplained(self) -> int:
        """What is left of the difference when every reason is taken from it."""
        return self.theirs - self.ours - sum(reason.amount for reason in self.reasons)

    def to_json(self) -> dict[str, Json]:
        return {
            "module": self.module,
            "macs": self.ours,
            "theirs": self.theirs,
            "reasons": [{"reason": reason.text, "amount": reason.amount} for reason in self.reasons],
            "unexplained": self.unexplained,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossCheck:
    """An analysis with a second opinion; `agreeing` is how many modules with any work both count alike."""

    analysis: Analysis
    opinion: Opinion
    agreeing: int
    disagreements: tuple[Disagreement, ...]

    @property
    def unexplained(self) -> int:
        """How many modules differ for a reason that is not known."""
        return sum(1 for each in self.disagreements if each.unexplained)

    def to_json(self) -> dict[str, Json]:
        return {
            "peer": self.opinion.peer,
            "version": self.opinion.version,
            "ran_on": self.opinion.ran_on,
            "macs": self.analysis.totals.macs,
            "theirs": self.opinion.total,
            "modules_agreeing": self.agreeing,
            "disagreements": [each.to_json() for each in self.disagreements],
        }


def cross_check(analysis: Analysis, opinion: Opinion) -> CrossCheck:
    """Module by module, in execution order; modules only the peer knows come last."""
    layers: dict[str, list[Layer]] = {}
    for layer in analysis.layers:
        layers.setdefault(_module(layer), []).append(layer)
    paths = dict.fromkeys((*layers, *opinion.products, *opinion.additions))
    found = [_compared(path, layers.get(path, ()), opinion) for path in paths]
    return CrossCheck(
        analysis=analysis,
        opinion=opinion,
        agreeing=sum(1 for each in found if each.ours == each.theirs and each.ours and not each.reasons),
        disagreements=tuple(each for each in found if each.reasons or each.unexplained),
    )


def _module(layer: Layer) -> str:
    """The path of the module that ran, which is not always the one the layer is named after."""
    return layer.node.origin.node if layer.node.origin else layer.node.scope


def _compared(path: str, layers: Iterable[Layer], opinion: Opinion) -> Disagreement:
    counted = [layer for layer in layers if layer.cost.macs]
    ours, products = sum(layer.cost.macs for layer in counted), opinion.products.get(path, 0)
    added = opinion.additions.get(path, {})
    return Disagreement(
        module=path,
        ours=ours,
        theirs=products + sum(added.values()),
        reasons=(
            *_missing(path, counted, ours - products, opinion),
            *(Reason(text=f"counts {operator}, which is no product", amount=n) for operator, n in added.items()),
        ),
    )


def _missing(path: str, layers: list[Layer], deficit: int, opinion: Opinion) -> tuple[Reason, ...]:
    """Why products are missing, where what the peer has no rule for accounts for all of them."""
    if deficit <= 0:
        return ()
    if not opinion.products.get(path) and (fused := _fused(path, opinion)):
        return (Reason(text=f"cannot see into torch's fast path ({fused})", amount=-deficit),)
    work = {
        operator: macs
        for operator in sorted(opinion.unruled.get(path, ()))
        if (macs := sum(layer.cost.macs for layer in layers if _does(layer, operator)))
    }
    for size in range(1, min(len(work), _MOST_OPERATORS) + 1):
        for chosen in combinations(work, size):
            if sum(work[operator] for operator in chosen) == deficit:
                return tuple(Reason(text=f"has no rule for {name}", amount=-work[name]) for name in chosen)
    return ()


def _fused(path: str, opinion: Opinion) -> str | None:
    """The fused operator that ran instead of this module's own: here, or for a whole layer around it."""
    if _FUSED_ATTENTION in opinion.unruled.get(path, ()):
        return _FUSED_ATTENTION
    around = ["", *(path[:at] for at, letter in enumerate(path) if letter == "."), path]
    return _FUSED_LAYER if any(_FUSED_LAYER in opinion.unruled.get(each, ()) for each in around) else None


def _does(layer: Layer, operator: str) -> bool:
    return layer.operator.rpartition(".")[2] == operator or layer.node.op.family == _FAMILIES.get(operator)
