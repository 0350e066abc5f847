"""Where and how something is run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Runtime: TypeAlias = Literal["torch", "onnxruntime"]
Processor: TypeAlias = Literal["cpu", "cuda"]

RUNTIMES: tuple[Runtime, ...] = ("torch", "onnxruntime")
PROCESSORS: tuple[Processor, ...] = ("cpu", "cuda")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The runtime and processor to measure on. Nothing of it outlives the measurement.

    `max_bytes` is the most memory a thing measured may need (None: half of what is free), `seed` makes its
    random weights and inputs. `cold_cache` empties a GPU's L2 cache before every call, as single layers need:
    alone, they would find all their data there.
    """

    runtime: Runtime
    device: Processor = "cpu"
    threads: int = 1
    compiled: bool = False
    cold_cache: bool = False
    max_bytes: int | None = None
    seed: int = 0
