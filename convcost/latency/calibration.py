"""What this machine can do at best: its peak in large matrix products, its bandwidth in large copies."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import date

from convcost import __version__
from convcost.dataclasses import dataclass
from convcost.errors import SourceError
from convcost.graph import DType, Graph, Node, Tensor
from convcost.graph.ops import MatMul
from convcost.latency.device import Device
from convcost.latency.fingerprint import fingerprint_of
from convcost.latency.protocol import Protocol, Samples, Started, take_samples
from convcost.latency.result import Measurement, NotMeasurable
from convcost.latency.session import measure, was_interrupted
from convcost.latency.setting import Setting
from convcost.latency.statistics import quantile
from convcost.latency.workload import GraphNodes

PEAK_TYPES = (DType.FLOAT32, DType.BFLOAT16, DType.FLOAT16)

_SIDE = {"cpu": 1024, "cuda": 8192}
_BEST = 0.1
"""The share of samples that may be faster than what is called the peak: the p10 of the times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A device as measured, and what it was measured by: a matrix product for each element type, and a copy."""

    device: Device
    products: Mapping[DType, Measurement | NotMeasurable]
    copy: Samples


def calibrate(setting: Setting, protocol: Protocol | None = None, *, today: date | None = None) -> Calibration:
    """Measures this machine at the setting's threads. Types the runtime cannot multiply are left out of the device.

    Raises `SourceError` where not even float32 can be measured, and `MissingDependencyError` without the runtime.
    An interrupt leaves no device: half a measurement says nothing about a peak.
    """
    protocol = protocol or Protocol()
    products = {dtype: _product(dtype, setting, protocol) for dtype in PEAK_TYPES}
    measured = {dtype: found for dtype, found in products.items() if isinstance(found, Measurement)}
    if DType.FLOAT32 not in measured:
        refusal = products[DType.FLOAT32]
        reason = refusal.reason if isinstance(refusal, NotMeasurable) else ""
        raise SourceError(f"this machine could not be measured: {reason}", hint="try another --runtime or --device")
    copy, moved = _copy(setting, protocol)
    name = measured[DType.FLOAT32].device_name
    device = Device(
        name=name,
        peaks={dtype: _SIDE[setting.device] ** 3 / found.p10 for dtype, found in measured.items()},
        bytes_per_second=moved / quantile(copy.times, _BEST),
        source=f"measured by convcost {__version__} with {setting.runtime} on {(today or date.today()).isoformat()}",
        threads=setting.threads,
        machine=fingerprint_of(setting, name),
    )
    return Calibration(device=device, products=products, copy=copy)


def product_graph(dtype: DType, side: int) -> Graph:
    """A square matrix product of two inputs: `side ** 3` MACs."""
    a, b, c = (Tensor(name=name, shape=(side, side), dtype=dtype) for name in "abc")
    node = Node(name="product", op=MatMul(), operands=(a, b), outputs=(c,))
    return Graph(nodes=(node,), inputs=(a, b), outputs=(c,))


def _product(dtype: DType, setting: Setting, protocol: Protocol) -> Measurement | NotMeasurable:
    graph = product_graph(dtype, _SIDE[setting.device])
    found = measure({"product": GraphNodes(graph=graph)}, setting, protocol)
    if was_interrupted(found):
        raise KeyboardInterrupt
    return found["product"]


def _copy(setting: Setting, protocol: Protocol) -> tuple[Samples, int]:
    from convcost.latency.runners.copying import large_copy

    with large_copy(setting) as (subject, moved):
        started = Started(subject=subject, first_run=subject(1))
        (samples,) = take_samples([started], protocol, time.perf_counter)
    if samples.partial:
        raise KeyboardInterrupt
    if not samples.times:
        raise SourceError("there was no time to measure the memory", hint="give it more with --max-time")
    return samples, moved
