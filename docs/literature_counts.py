"""A published figure, and the ways to count it again from a spec in sample_configs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal, TypeAlias

from convcost.alternatives import CountedMap
from convcost.analysis import Analysis, analyze_graph
from convcost.api import compare, load
from convcost.graph.ops import Conv, Linear

SAMPLES = Path(__file__).parents[1] / "sample_configs"
NONE = "–"
"""What stands for a value that no text prints."""

_UNITS = {"": Decimal(1), "%": Decimal("0.01"), "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9)}
_NUMBER = re.compile(r"([\d,]*\d(?:\.\d+)?)(?: ?(%|k|M|G))?")

Count: TypeAlias = Callable[[str], Decimal]
"""From a spec's path to the exact value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One published value (or `NONE`) and how it is counted; `because` explains a difference, and only that."""

    what: str
    where: str
    published: str
    spec: str
    count: Count
    because: str

    def value(self) -> Decimal:
        return self.count(self.spec)

    def agrees(self) -> bool:
        """Whether the count, rounded to the digits that were printed, is what was printed."""
        if self.published == NONE:
            return True
        digits, unit = self._parts()
        printed = Decimal(digits.replace(",", ""))
        last_digit = Decimal(1).scaleb(int(printed.as_tuple().exponent)) * _UNITS[unit]
        return abs(self.value() - printed * _UNITS[unit]) <= last_digit / 2

    def counted(self) -> str:
        """An integer in full, a share or ratio to two digits and three."""
        value = self.value()
        if self.published.endswith("%"):
            return f"{100 * value:.2f} %"
        return f"{value:,}" if value == value.to_integral_value() else f"{value:.3f}"

    def _parts(self) -> tuple[str, str]:
        match = _NUMBER.fullmatch(self.published)
        if match is None:
            raise ValueError(f"{self.what}: '{self.published}' is not a figure")
        return match[1], match[2] or ""


def figure(what: str, where: str, published: str, spec: str, count: Count, because: str = "") -> Figure:
    """A figure as one line of a list."""
    return Figure(what=what, where=where, published=published, spec=spec, count=count, because=because)


def macs(spec: str) -> Decimal:
    return Decimal(_analysis(spec).totals.macs)


def macs_at(side: int) -> Count:
    """At another resolution."""
    return lambda spec: Decimal(analyze_graph(load(SAMPLES / spec, ((1, 3, side, side),))).totals.macs)


def params(spec: str) -> Decimal:
    return Decimal(_analysis(spec).totals.params)


def params_with_norms(spec: str) -> Decimal:
    """With a scale and a shift for each output channel of each convolution."""
    analysis = _analysis(spec)
    channels = sum(each.node.op.out_channels for each in analysis.layers if isinstance(each.node.op, Conv))
    return Decimal(analysis.totals.params + 2 * channels)


def alternative(wanted: str, *, of: Literal["macs", "params"] = "macs", df: CountedMap = "output") -> Count:
    """The whole spec with every convolution replaced to which the alternative applies."""

    def count(spec: str) -> Decimal:
        total = compare(SAMPLES / spec, alternatives=wanted, df=df).totals[-1]
        return Decimal(total.macs if of == "macs" else total.params)

    return count


def stage(name: str) -> Count:
    """One stage of the depthwise-separable alternative of a spec's one layer."""

    def count(spec: str) -> Decimal:
        (layer,) = compare(SAMPLES / spec, alternatives="depthwise_separable").layers
        return Decimal(sum(each.cost.macs for each in layer.candidates[-1].stages if each.name.endswith(f"/{name}")))

    return count


def share(kind: str, of: Literal["macs", "params"]) -> Count:
    """What convolutions of one kind, or the classifier, have of the multiplies or weights of all of them."""

    def count(spec: str) -> Decimal:
        amounts = [
            (each.node.op.kind, each.cost.macs if of == "macs" else each.storage.params)
            for each in _analysis(spec).layers
            if isinstance(each.node.op, Conv | Linear)
        ]
        total = sum(amount for _, amount in amounts)
        return Decimal(sum(amount for each, amount in amounts if each == kind)) / total

    return count


def saved_by(instead: str) -> Count:
    """The share of multiplies that another spec saves."""
    return lambda spec: 1 - macs(instead) / macs(spec)


def saved_by_alternative(wanted: str) -> Count:
    """The share of multiplies that an alternative saves."""
    return lambda spec: 1 - alternative(wanted)(spec) / macs(spec)


def times_fewer(wanted: str) -> Count:
    """How many times fewer multiplies the convolutions take; other layers, which stay, are left out."""

    def count(spec: str) -> Decimal:
        layers = compare(SAMPLES / spec, alternatives=wanted).layers
        used = [each.candidates[-1] if each.candidates[-1].is_applicable else each.standard for each in layers]
        return Decimal(sum(each.standard.cost.macs for each in layers)) / sum(each.cost.macs for each in used)

    return count


def _analysis(spec: str) -> Analysis:
    return analyze_graph(load(SAMPLES / spec))
