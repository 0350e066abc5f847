"""What running something costs, in exact integers."""

from __future__ import annotations

from dataclasses import dataclass

FLOPS_PER_MAC = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Multiply-accumulates, other arithmetic, and compulsory memory traffic in bytes.

    Costs add (`a + b`, `sum(costs, Cost())`) and repeat (`3 * cost`).
    """

    macs: int = 0
    other_ops: int = 0
    bytes_read: int = 0
    bytes_written: int = 0

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
