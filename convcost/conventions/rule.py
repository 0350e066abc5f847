"""What a convention is: rules on calls, and what they make of an analysis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TypeAlias

from convcost.analysis import Analysis, Json, Layer
from convcost.dataclasses import dataclass
from convcost.graph import Shape
from convcost.graph.caller import Caller
from convcost.graph.ops import Op, real_products


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A layer, and who called it. Of all that one call of a module ran, the one with most MACs `leads`."""

    layer: Layer
    caller: Caller
    leads: bool = True

    @property
    def op(self) -> Op:
        return self.layer.node.op

    @property
    def macs(self) -> int:
        """Of one execution, however often the node is repeated; a product of complex numbers is one."""
        return self.layer.cost.macs // self.layer.node.repeat // self.real_products

    @property
    def real_products(self) -> int:
        """How many multiply-accumulates each of its products is: several where numbers are complex."""
        return real_products(self.layer.node.operands[:2])

    @property
    def input(self) -> Shape:
        return self.layer.node.operands[0].shape

    @property
    def in_elements(self) -> int:
        return self.layer.node.operands[0].numel

    @property
    def out_elements(self) -> int:
        return self.layer.node.outputs[0].numel


Amount: TypeAlias = Callable[[Call], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a counter makes of calls that run one of `ops`.

    With `products` it counts the layer's MACs; `adds` is what it counts beside them (or, negative, leaves out of
    them), and `why` says so in a report. `hooked` rules look at modules, the others at functions. `exact` is false
    for calls whose amount hangs on something that neither a graph nor a caller tells.
    """

    ops: tuple[type[Op], ...]
    products: bool = False
    adds: Amount | None = None
    why: str = ""
    hooked: bool = False
    exact: Callable[[Call], bool] = lambda call: True


Rules: TypeAlias = Mapping[str, tuple[Rule, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """How a counter counts. `rules_of` gives every rule that meets a call; `read_from` is the version it was read from.

    `eclipsing` are modules below which no hook counts, and `times_held` how often hooks count a module that is held
    so many times. With `per_item`, what hooks count is divided by the batch. One that `prunes` counts nothing that no
    output depends on. Without `by_operator`, it looks at modules and never at what they ran; `idle` is what it counts
    for one that ran nothing.
    """

    name: str
    read_from: str
    summary: str
    rules_of: Callable[[Call], tuple[Rule, ...]]
    eclipsing: frozenset[str] = frozenset()
    times_held: Callable[[int], int] = lambda held: 1
    per_item: bool = False
    prunes: bool = False
    by_operator: bool = True
    idle: Callable[[Caller], int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One reason why the counter's total is not ours, and by how much; `layers` is how many layers it comes from."""

    why: str
    amount: int
    layers: int
    exact: bool = True

    def to_json(self) -> dict[str, Json]:
        return {"reason": self.why, "amount": self.amount, "layers": self.layers, "exact": self.exact}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """An analysis in a counter's convention: our MACs and every term add up to `total`."""

    analysis: Analysis
    convention: Convention
    terms: tuple[Term, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def total(self) -> int:
        return self.analysis.totals.macs + sum(term.amount for term in self.terms)

    @property
    def exact(self) -> bool:
        """Whether the counter itself would print this total, as far as its rules are known."""
        return not self.notes and all(term.exact for term in self.terms)

    def to_json(self) -> dict[str, Json]:
        return {
            "name": self.convention.name,
            "read_from": self.convention.read_from,
            "macs": self.analysis.totals.macs,
            "total": self.total,
            "exact": self.exact,
            "terms": [term.to_json() for term in self.terms],
            "notes": list(self.notes),
        }
