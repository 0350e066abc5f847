"""A comparison: every chosen convolution under every alternative, and the model with all of them replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost import __version__
from convcost.alternatives.base import Alternative, AnyConv
from convcost.alternatives.break_even import BreakEven
from convcost.alternatives.counting import CountedMap
from convcost.analysis import Json, Layer, UnknownOp
from convcost.dataclasses import dataclass
from convcost.graph import Cost, Node

if TYPE_CHECKING:
    from convcost.alternatives.parallel import DeviceShare

SCHEMA = "convcost/comparison/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One alternative of one layer: its formula and its stages with their costs, or the reason why it does not apply.

    `break_even` is a ranked family's. `pareto` says whether no other candidate beats this one in MACs, parameters and
    activations together; None where it does not apply. `devices` holds the shares when devices were asked for.
    """

    alternative: Alternative
    label: str
    formula: str = ""
    stages: tuple[Layer, ...] = ()
    reason: str | None = None
    break_even: BreakEven | None = None
    pareto: bool | None = None
    devices: tuple[DeviceShare, ...] = ()

    @property
    def is_applicable(self) -> bool:
        return self.reason is None

    @property
    def cost(self) -> Cost:
        return Cost.total(stage.cost for stage in self.stages)

    @property
    def params(self) -> int:
        return sum(stage.storage.params for stage in self.stages)

    @property
    def activation_bytes(self) -> int:
        return sum(stage.activation_bytes for stage in self.stages)

    def to_json(self, standard: Candidate, axes: int) -> dict[str, Json]:
        """With ratios to the `standard` candidate; numbers are null where the alternative does not apply."""
        applicable = self.is_applicable
        return {
            "name": self.alternative.name,
            "options": dict(self.alternative.options()),
            "label": self.label,
            "applicable": applicable,
            "reason": self.reason,
            "formula": self.formula,
            "macs": self.cost.macs if applicable else None,
            "params": self.params if applicable else None,
            "activation_bytes": self.activation_bytes if applicable else None,
            "bytes_moved": self.cost.bytes_moved if applicable else None,
            "ratio_macs": _ratio(self.cost.macs, standard.cost.macs) if applicable else None,
            "ratio_params": _ratio(self.params, standard.params) if applicable else None,
            "break_even": dict(self.break_even.to_json()) if self.break_even else None,
            "pareto": self.pareto,
            "devices": [share.to_json() for share in self.devices],
            "stages": [_stage_json(stage, axes) for stage in self.stages],
            "latency": None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerComparison:
    """One convolution beside its alternatives; `standard` is the layer as it is."""

    layer: Node
    conv: AnyConv
    standard: Candidate
    candidates: tuple[Candidate, ...]

    @property
    def name(self) -> str:
        return self.layer.name

    def to_json(self) -> dict[str, Json]:
        axes = len(self.conv.kernel)
        shape = self.layer.operands[0].shape
        described: dict[str, Json] = {
            "type": self.conv.family,
            "in_channels": self.conv.in_channels,
            "out_channels": self.conv.out_channels,
            "kernel": list(self.conv.kernel),
            "input": list(shape[-axes:]),
            "output": list(self.layer.outputs[0].shape[-axes:]),
            "stride": list(self.conv.stride),
            "padding": [list(pad) for pad in self.conv.pads],
            "dilation": list(self.conv.dilation),
            "groups": self.conv.groups,
            "bias": len(self.layer.operands) > 2,
            "batch": shape[0] if len(shape) == axes + 2 else 1,
        }
        return {
            "name": self.name,
            "conv": described,
            "alternatives": [candidate.to_json(self.standard, axes) for candidate in self.candidates],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTotal:
    """The whole model with every chosen layer replaced to which the alternative applies.

    `pareto` is as a candidate's. `devices` adds up the shares of the chosen layers alone, one layer after the other.
    """

    alternative: Alternative
    macs: int
    params: int
    activation_bytes: int
    peak_activation_bytes: int
    replaced_layers: int
    pareto: bool | None = None
    devices: tuple[DeviceShare, ...] = ()

    def to_json(self) -> dict[str, Json]:
        return {
            "name": self.alternative.name,
            "options": dict(self.alternative.options()),
            "macs": self.macs,
            "params": self.params,
            "activation_bytes": self.activation_bytes,
            "peak_activation_bytes": self.peak_activation_bytes,
            "replaced_layers": self.replaced_layers,
            "pareto": self.pareto,
            "devices": [share.to_json() for share in self.devices],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Chosen layers under every alternative. With anything `unknown`, every total is a lower bound.

    `smaller_kernels` counts the convolutions that were left out for a kernel with no side of `min_kernel`.
    """

    target: str
    source: str
    df: CountedMap
    layers: tuple[LayerComparison, ...]
    totals: tuple[ModelTotal, ...]
    min_kernel: int = 1
    smaller_kernels: int = 0
    unknown: tuple[UnknownOp, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_lower_bound(self) -> bool:
        return bool(self.unknown)

    def to_json(self) -> dict[str, Json]:
        """The document of `docs/schema/comparison-1.json`."""
        return {
            "schema": SCHEMA,
            "convcost": __version__,
            "source": {"target": self.target, "kind": self.source},
            "convention": {"df": self.df},
            "selection": {"min_kernel": self.min_kernel, "smaller_kernels": self.smaller_kernels},
            "lower_bound": self.is_lower_bound,
            "unknown": [each.to_json() for each in self.unknown],
            "notes": list(self.notes),
            "layers": [layer.to_json() for layer in self.layers],
            "totals": [total.to_json() for total in self.totals],
        }


def _ratio(value: int, standard: int) -> float | None:
    return value / standard if standard else None


def _stage_json(stage: Layer, axes: int) -> dict[str, Json]:
    node = stage.node
    return {
        "name": node.name.rpartition("/")[2],
        "kind": node.op.kind,
        "macs": stage.cost.macs,
        "params": stage.storage.params,
        "output": list(node.outputs[0].shape[-axes:]),
    }
