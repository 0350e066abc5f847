"""What an analysis found: small, frozen, picklable, and able to say itself in JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from convcost import __version__
from convcost.dataclasses import dataclass
from convcost.graph import FLOPS_PER_MAC, Cost, Node, Role, Tensor, Weight

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

SCHEMA = "convcost/analysis/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """What stored tensors hold: elements that are learnable, elements that are not, and bytes of the learnable ones.

    Constants (shapes, scalars, lookup indices) are none of these.
    """

    params: int = 0
    buffers: int = 0
    weight_bytes: int = 0

    @classmethod
    def of(cls, weights: Iterable[Weight]) -> Storage:
        params = buffers = weight_bytes = 0
        for weight in weights:
            if weight.role is Role.PARAMETER:
                params += weight.values
                weight_bytes += weight.nbytes
            elif weight.role is Role.BUFFER:
                buffers += weight.values
        return cls(params=params, buffers=buffers, weight_bytes=weight_bytes)


NOTHING = Storage()
"""What most layers store, which is why they share it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One node and what it costs. `storage` is of the weights it is the first to use, so that layers add up.

    `backward` is the work of the layer's gradients, where the backward pass was asked for.
    """

    node: Node
    cost: Cost
    storage: Storage
    activation_bytes: int
    backward: Cost | None = None

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def operator(self) -> str:
        """The framework's word for the op, or ours where there is no framework."""
        return self.node.origin.operator if self.node.origin else type(self.node.op).__name__

    def to_json(self) -> dict[str, Json]:
        node = self.node
        return {
            "name": node.name,
            "scope": node.scope,
            "kind": node.op.kind,
            "op": self.operator,
            "inputs": [list(tensor.shape) for tensor in node.inputs],
            "outputs": [list(tensor.shape) for tensor in node.outputs],
            "attributes": _plain(dict(node.op.attributes())),
            "macs": self.cost.macs,
            "other_ops": self.cost.other_ops,
            "flops": self.cost.flops,
            "params": self.storage.params,
            "buffers": self.storage.buffers,
            "weight_bytes": self.storage.weight_bytes,
            "activation_bytes": self.activation_bytes,
            "bytes_moved": self.cost.bytes_moved,
            "backward": work_json(self.backward),
            "latency": None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The whole model. `activation_bytes` is the sum of all outputs, `peak_activation_bytes` the largest live sum."""

    cost: Cost
    storage: Storage
    activation_bytes: int
    peak_activation_bytes: int

    @property
    def macs(self) -> int:
        return self.cost.macs

    @property
    def other_ops(self) -> int:
        return self.cost.other_ops

    @property
    def flops(self) -> int:
        return self.cost.flops

    @property
    def params(self) -> int:
        return self.storage.params

    @property
    def buffers(self) -> int:
        return self.storage.buffers

    @property
    def weight_bytes(self) -> int:
        return self.storage.weight_bytes

    @property
    def bytes_moved(self) -> int:
        return self.cost.bytes_moved

    def to_json(self) -> dict[str, int]:
        return {
            "macs": self.macs,
            "other_ops": self.other_ops,
            "flops": self.flops,
            "params": self.params,
            "buffers": self.buffers,
            "weight_bytes": self.weight_bytes,
            "activation_bytes": self.activation_bytes,
            "peak_activation_bytes": self.peak_activation_bytes,
            "bytes_moved": self.bytes_moved,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownOp:
    """An operator that could not be counted, where it stands and why."""

    operator: str
    layers: tuple[str, ...]
    reason: str

    def to_json(self) -> dict[str, Json]:
        return {"op": self.operator, "layers": list(self.layers), "reason": self.reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What a model costs, layer by layer. With anything `unknown`, totals are lower bounds, but for what is stored.

    `totals` are of the forward pass; `backward` is beside them where it was asked for. `eager_peak_bytes` is what
    PyTorch held of inputs and activations at one time; None for a network that it did not run.
    """

    target: str
    source: str
    inputs: tuple[Tensor, ...]
    totals: Totals
    layers: tuple[Layer, ...]
    unknown: tuple[UnknownOp, ...]
    unused: Storage
    notes: tuple[str, ...] = ()
    backward: Cost | None = None
    eager_peak_bytes: int | None = None

    @property
    def is_lower_bound(self) -> bool:
        return bool(self.unknown)

    @property
    def counted(self) -> int:
        """How many of the layers' ops were counted."""
        return len(self.layers) - sum(len(op.layers) for op in self.unknown)

    def coverage_json(self) -> dict[str, Json]:
        return {
            "ops": len(self.layers),
            "counted": self.counted,
            "unknown": [op.to_json() for op in self.unknown],
            "lower_bound": self.is_lower_bound,
        }

    def to_json(self) -> dict[str, Json]:
        """The document of `docs/schema/analysis-1.json`: exact integers, stable key order."""
        return {
            "schema": SCHEMA,
            "convcost": __version__,
            "source": {"target": self.target, "kind": self.source},
            "inputs": [
                {"name": tensor.name, "shape": list(tensor.shape), "dtype": tensor.dtype.value}
                for tensor in self.inputs
            ],
            "convention": {"flops_per_mac": FLOPS_PER_MAC, "df": "output", "backward": self.backward is not None},
            "totals": dict(self.totals.to_json()),
            "eager_peak_bytes": self.eager_peak_bytes,
            "backward": work_json(self.backward),
            "coverage": self.coverage_json(),
            "notes": list(self.notes),
            "layers": [layer.to_json() for layer in self.layers],
        }


def work_json(work: Cost | None) -> Json:
    """Arithmetic without memory traffic; null where it was not asked for."""
    return {"macs": work.macs, "other_ops": work.other_ops, "flops": work.flops} if work is not None else None


def _plain(value: object) -> Json:
    """Op attributes as JSON values: tuples become lists."""
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case tuple():
            return [_plain(item) for item in value]
        case bool() | int() | float() | str() | None:
            return value
        case _:
            return str(value)
