"""One model at several sizes: the analyses, and what of them a table of totals needs."""

from __future__ import annotations

from convcost import __version__
from convcost.analysis.result import Analysis, Json
from convcost.dataclasses import dataclass

SCHEMA = "convcost/sweep/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPoint:
    """The model at one value of what is swept."""

    value: int
    analysis: Analysis

    def to_json(self) -> dict[str, Json]:
        document = self.analysis.to_json()
        return {"value": self.value, **{key: document[key] for key in ("inputs", "totals", "backward", "coverage")}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """`name` is `batch`, `resolution` or a symbolic dimension; there is at least one point, in the order asked for."""

    name: str
    points: tuple[SweepPoint, ...]

    @property
    def first(self) -> Analysis:
        """The model at the first value, which says what is the same at all of them."""
        return self.points[0].analysis

    @property
    def target(self) -> str:
        return self.first.target

    @property
    def least_counted(self) -> Analysis:
        """The model where most of its ops are unknown."""
        return max((point.analysis for point in self.points), key=lambda analysis: len(analysis.unknown))

    @property
    def notes(self) -> tuple[str, ...]:
        """Every note once, though it may hold at one value only."""
        return tuple(dict.fromkeys(note for point in self.points for note in point.analysis.notes))

    def to_json(self) -> dict[str, Json]:
        """The document of `docs/schema/sweep-1.json`: totals without layers."""
        document = self.first.to_json()
        return {
            "schema": SCHEMA,
            "convcost": __version__,
            "source": document["source"],
            "convention": document["convention"],
            "sweep": {"name": self.name, "values": [point.value for point in self.points]},
            "points": [point.to_json() for point in self.points],
            "notes": list(self.notes),
        }
