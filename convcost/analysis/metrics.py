"""The quantities convcost reports, each with its unit and what it means: one table for every place that names them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Protocol

from convcost.analysis.result import Analysis, Storage, Totals
from convcost.dataclasses import dataclass
from convcost.errors import UsageError
from convcost.graph import Cost
from convcost.units import Unit


class Costed(Protocol):
    """A layer, a group of layers, or a whole model."""

    @property
    def cost(self) -> Cost: ...
    @property
    def storage(self) -> Storage: ...
    @property
    def activation_bytes(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """Something a budget can limit; `name` is its key in JSON and in `--max`."""

    name: str
    label: str
    unit: Unit
    definition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric(Quantity):
    """What an analysis counts; `name` is the key in `--sort` and `--query` too.

    `measure` is None where layers do not add up. `stored` metrics are read off what the model stores.
    """

    measure: Callable[[Costed], int] | None
    stored: bool = False

    def of(self, costed: Costed) -> int:
        """The value for a layer or group; raises `UsageError` where only a whole model has one."""
        if self.measure is None:
            raise UsageError(
                f"{self.name} belongs to the whole model, not to a layer",
                hint=f"choose from {', '.join(metric.name for metric in METRICS if metric.measure)}",
            )
        return self.measure(costed)

    def is_least(self, analysis: Analysis) -> bool:
        """Whether the total is a lower bound: an op that could not be counted hides work, and never what is stored."""
        return analysis.is_lower_bound and not self.stored

    def total(self, totals: Totals) -> int:
        """The value for the whole model."""
        return totals.to_json()[self.name]


METRICS: tuple[Metric, ...] = (
    Metric(
        name="macs",
        label="MACs",
        unit=Unit.COUNT,
        definition="multiply-accumulates of convolutions, linear layers and other matrix products, attention products "
        "and recurrent gates; also called multiplies or mult-adds. Padding taps count; batch is included.",
        measure=lambda costed: costed.cost.macs,
    ),
    Metric(
        name="other_ops",
        label="Other ops",
        unit=Unit.COUNT,
        definition="arithmetic that is not a MAC: bias adds, normalisation, activations, pooling, softmax, elementwise "
        "operations, interpolation.",
        measure=lambda costed: costed.cost.other_ops,
    ),
    Metric(
        name="flops",
        label="FLOPs",
        unit=Unit.COUNT,
        definition="2 * MACs + other ops: a multiply and an add for every MAC, and each other operation once.",
        measure=lambda costed: costed.cost.flops,
    ),
    Metric(
        name="params",
        label="Params",
        unit=Unit.COUNT,
        definition="elements of learnable tensors; a tied tensor counts once, and modules the input never reaches "
        "count too. Buffers, such as BatchNorm's running statistics, are apart.",
        measure=lambda costed: costed.storage.params,
        stored=True,
    ),
    Metric(
        name="buffers",
        label="Buffers",
        unit=Unit.COUNT,
        definition="elements of stored tensors that are not learned, such as BatchNorm's running mean and variance.",
        measure=lambda costed: costed.storage.buffers,
        stored=True,
    ),
    Metric(
        name="weight_bytes",
        label="Weights",
        unit=Unit.BYTES,
        definition="bytes of the parameters in the element type they are stored in.",
        measure=lambda costed: costed.storage.weight_bytes,
        stored=True,
    ),
    Metric(
        name="activation_bytes",
        label="Activations",
        unit=Unit.BYTES,
        definition="bytes of every op's output, summed; views and in-place results take no memory of their own.",
        measure=lambda costed: costed.activation_bytes,
    ),
    Metric(
        name="peak_activation_bytes",
        label="Peak activation",
        unit=Unit.BYTES,
        definition="the largest sum of non-weight tensors that must be alive at once, in execution order.",
        measure=None,
    ),
    Metric(
        name="bytes_moved",
        label="Bytes moved",
        unit=Unit.BYTES,
        definition="compulsory memory traffic: each input, weight and output of an op once, as if nothing stayed in a "
        "cache between ops. FLOPs divided by it is the arithmetic intensity.",
        measure=lambda costed: costed.cost.bytes_moved,
    ),
)

LATENCY = Quantity(
    name="latency",
    label="Latency",
    unit=Unit.TIME,
    definition="the time that one run in ten stays below (p10), measured and not counted: what the machine can do when "
    "little else is in the way.",
)
"""Measured where a budget asks for it; no analysis has it."""

_BY_NAME = {metric.name: metric for metric in METRICS}


def metric_named(name: str) -> Metric:
    """The metric of that exact name; raises `UsageError` with the nearest one."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    if name == LATENCY.name:
        raise UsageError("latency is measured, not counted", hint="convcost check TARGET --max latency=12ms")
    raise _unknown(name, _BY_NAME)


def quantity_named(name: str) -> Quantity:
    """A metric, or the latency, by its exact name; raises `UsageError` with the nearest."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    if name == LATENCY.name:
        return LATENCY
    raise _unknown(name, (*_BY_NAME, LATENCY.name))


def _unknown(name: str, known: Iterable[str]) -> UsageError:
    names = list(known)
    near = difflib.get_close_matches(name.lower().replace("-", "_"), names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"metrics are {', '.join(names)}"
    return UsageError(f"'{name}' is not a metric", hint=hint)
