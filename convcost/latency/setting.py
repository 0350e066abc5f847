"""Where and how something is run."""

from __future__ import annotations

import os
from typing import Literal, TypeAlias

from convcost.dataclasses import dataclass
from convcost.errors import UsageError

Runtime: TypeAlias = Literal["torch", "onnxruntime"]
Processor: TypeAlias = Literal["cpu", "cuda"]

RUNTIMES: tuple[Runtime, ...] = ("torch", "onnxruntime")
PROCESSORS: tuple[Processor, ...] = ("cpu", "cuda")

_MOST_A_PROCESSOR = 8
"""Threads for each processor beyond which they only wait for one another; torch ends the program at some thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The runtime and processor to measure on. Nothing of it outlives the measurement.

    `max_bytes` is the most memory a thing measured may need (None: half of what is free), `seed` makes its
    random weights and inputs. `cold_cache` empties a GPU's L2 cache before every call, as single layers need:
    alone, they would find all their data there. Raises `UsageError` for no threads, and for more than have any use.
    """

    runtime: Runtime
    device: Processor = "cpu"
    threads: int = 1
    compiled: bool = False
    cold_cache: bool = False
    max_bytes: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        processors = os.cpu_count() or 1
        most = _MOST_A_PROCESSOR * processors
        if not 1 <= self.threads <= most:
            machine = "1 processor" if processors == 1 else f"{processors} processors"
            raise UsageError(
                f"a machine with {machine} takes 1 to {most} threads, not {self.threads}",
                hint=f"one for each processor is {processors}",
            )
