"""What running something costs, in exact integers."""

from __future__ import annotations

from collections.abc import Iterable

from convcost.dataclasses import dataclass

FLOPS_PER_MAC = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Multiply-accumulates, other arithmetic, and compulsory memory traffic in bytes.

    Costs add (`a + b`, `Cost.total(costs)`) and repeat (`3 * cost`).
    """

    macs: int = 0
    other_ops: int = 0
    bytes_read: int = 0
    bytes_written: int = 0

    @classmethod
    def total(cls, costs: Iterable[Cost]) -> Cost:
        """The sum, field by field: of a hundred thousand costs no hundred thousand others are made."""
        counted = list(costs)
        return cls(
            macs=sum([cost.macs for cost in counted]),
            other_ops=sum([cost.other_ops for cost in counted]),
            bytes_read=sum([cost.bytes_read for cost in counted]),
            bytes_written=sum([cost.bytes_written for cost in counted]),
        )

    @property
    def flops(self) -> int:
        """`2 * macs + other_ops`: a multiply and an add per MAC, and every other operation once."""
        return FLOPS_PER_MAC * self.macs + self.other_ops

    @property
    def bytes_moved(self) -> int:
        return self.bytes_read + self.bytes_written

    @property
    def arithmetic_intensity(self) -> float | None:
        """FLOPs per byte moved; None where nothing moves."""
        return self.flops / self.bytes_moved if self.bytes_moved else None

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            macs=self.macs + other.macs,
            other_ops=self.other_ops + other.other_ops,
            bytes_read=self.bytes_read + other.bytes_read,
            bytes_written=self.bytes_written + other.bytes_written,
        )

    def __mul__(self, times: int) -> Cost:
        return Cost(
            macs=self.macs * times,
            other_ops=self.other_ops * times,
            bytes_read=self.bytes_read * times,
            bytes_written=self.bytes_written * times,
        )

    __rmul__ = __mul__
