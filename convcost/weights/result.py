"""What trained kernels turned out to be: small, frozen, picklable, and able to say itself in JSON."""

from __future__ import annotations

from typing import Literal

from convcost import __version__
from convcost.analysis import Json
from convcost.dataclasses import dataclass

SCHEMA = "convcost/separability/1"

FindingCode = Literal["nan", "inf", "zero", "quantized", "view", "computed", "not_folded", "assumed_epsilon"]

SHARES = (0.90, 0.95, 0.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something about a kernel's values that its numbers cannot be read without."""

    code: FindingCode
    message: str

    def to_json(self) -> dict[str, Json]:
        return {"code": self.code, "message": self.message}


@dataclass(frozen=True, slots=True, kw_only=True)
class RankPoint:
    """What one rank costs and keeps. `random` is what a random Gaussian kernel of the same shape keeps, on average.

    Only the excess over it is structure that training put there.
    """

    rank: int
    macs: int
    energy: float
    random: float

    @property
    def excess(self) -> float:
        return self.energy - self.random

    def to_json(self) -> dict[str, Json]:
        return {
            "rank": self.rank,
            "macs": self.macs,
            "energy": self.energy,
            "random_energy": self.random,
            "excess": self.excess,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyEnergies:
    """One family of one layer; with a `reason`, the family does not apply and holds no numbers.

    `rank_for` pairs each share of energy with the smallest rank that keeps it. `half_macs` is the largest rank
    that costs at most half the layer's MACs, None where even the smallest costs more.
    """

    label: str
    name: str
    options: tuple[tuple[str, int | str | None], ...] = ()
    reason: str | None = None
    full_rank: int = 0
    rank_for: tuple[tuple[float, int], ...] = ()
    points: tuple[RankPoint, ...] = ()
    half_macs: RankPoint | None = None

    @property
    def is_applicable(self) -> bool:
        return self.reason is None

    def to_json(self) -> dict[str, Json]:
        return {
            "label": self.label,
            "name": self.name,
            "options": dict(self.options),
            "applicable": self.is_applicable,
            "reason": self.reason,
            "full_rank": self.full_rank if self.is_applicable else None,
            "rank_for": [{"energy": share, "rank": rank} for share, rank in self.rank_for],
            "points": [point.to_json() for point in self.points],
            "half_macs": self.half_macs.to_json() if self.half_macs else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupingEnergies:
    """What g groups keep of a kernel: its channels in order, and reordered for the most.

    The `random` figures are a random kernel's: 1/g of each group in order, and more reordered, for a search
    finds something in noise too.
    Where not `exhaustive`, `reordered` is the best a local search found.
    """

    groups: int
    macs: int
    in_order: float
    in_order_random: float
    reordered: float
    reordered_random: float
    exhaustive: bool

    def to_json(self) -> dict[str, Json]:
        return {
            "groups": self.groups,
            "macs": self.macs,
            "energy": self.in_order,
            "random_energy": self.in_order_random,
            "reordered_energy": self.reordered,
            "reordered_random_energy": self.reordered_random,
            "exhaustive": self.exhaustive,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparableKernels:
    """How many of a layer's two-dimensional kernels are a column times a row on their own, exactly.

    Exactly means up to the rounding of the stored element type: the second singular value is at most
    `tolerance` times the first. All-zero kernels count. `energy` is the share that the best column and row of
    every kernel keep together, `random` the same of a random kernel.
    """

    separable: int
    kernels: int
    tolerance: float
    energy: float
    random: float

    @property
    def share(self) -> float:
        return self.separable / self.kernels

    def to_json(self) -> dict[str, Json]:
        return {
            "separable": self.separable,
            "kernels": self.kernels,
            "share": self.share,
            "tolerance": self.tolerance,
            "energy": self.energy,
            "random_energy": self.random,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSeparability:
    """One convolution's kernel. `macs` is the layer's as it is; `folded` names the batch norm folded in.

    A layer whose values allow no spectra has findings, and neither families nor kernels.
    """

    name: str
    kind: str
    weight: str
    shape: tuple[int, ...]
    groups: int
    macs: int
    folded: str | None = None
    separable: SeparableKernels | None = None
    families: tuple[FamilyEnergies, ...] = ()
    groupings: tuple[GroupingEnergies, ...] = ()
    findings: tuple[Finding, ...] = ()

    def to_json(self) -> dict[str, Json]:
        return {
            "name": self.name,
            "kind": self.kind,
            "weight": self.weight,
            "shape": list(self.shape),
            "groups": self.groups,
            "macs": self.macs,
            "folded": self.folded,
            "separable_kernels": self.separable.to_json() if self.separable else None,
            "families": [family.to_json() for family in self.families],
            "groupings": [each.to_json() for each in self.groupings],
            "findings": [finding.to_json() for finding in self.findings],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelSeparability:
    """A single two-dimensional kernel and its best approximation by a column times a row.

    `error` is the Frobenius norm of what that leaves, `energy` the share it keeps. All are None, and the
    factors empty, where the values allow no answer.
    """

    name: str
    shape: tuple[int, int]
    rank: int | None = None
    singular_values: tuple[float, ...] = ()
    column: tuple[float, ...] = ()
    row: tuple[float, ...] = ()
    energy: float | None = None
    error: float | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def is_separable(self) -> bool:
        return self.rank == 1

    def to_json(self) -> dict[str, Json]:
        return {
            "name": self.name,
            "shape": list(self.shape),
            "rank": self.rank,
            "separable": self.is_separable,
            "singular_values": list(self.singular_values),
            "column": list(self.column),
            "row": list(self.row),
            "energy": self.energy,
            "error": self.error,
            "findings": [finding.to_json() for finding in self.findings],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Separability:
    """What could become cheaper without loss of these weights: a model's layers, or the kernels of a file.

    `draws` random kernels, the same in every run, stand behind each random figure.
    """

    target: str
    source: str
    layers: tuple[LayerSeparability, ...] = ()
    kernels: tuple[KernelSeparability, ...] = ()
    draws: int = 0
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """The document of `docs/schema/separability-1.json`."""
        return {
            "schema": SCHEMA,
            "convcost": __version__,
            "source": {"target": self.target, "kind": self.source},
            "convention": {"batch_norm": "folded", "random_draws": self.draws},
            "notes": list(self.notes),
            "layers": [layer.to_json() for layer in self.layers],
            "kernels": [kernel.to_json() for kernel in self.kernels],
        }
