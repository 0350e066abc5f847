"""`torch.cuda` as the timing code wants it."""

from __future__ import annotations

from collections.abc import Callable

import torch

from convcost.latency.runners.cuda import Span
from convcost.latency.runners.prepared import UnrunnableError

_L2_IF_UNKNOWN = 128 << 20


class _EventSpan:
    def __init__(self) -> None:
        self._begin = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        self._end = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]

    def begin(self) -> None:
        self._begin.record()

    def end(self) -> None:
        self._end.record()

    def milliseconds(self) -> float:
        return float(self._begin.elapsed_time(self._end))


class TorchGpu:
    """The current CUDA device of torch."""

    def span(self) -> Span:
        return _EventSpan()

    def synchronize(self) -> None:
        torch.cuda.synchronize()

    def capture(self, call: Callable[[], object]) -> Callable[[], object]:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            result = call()

        def replay() -> object:
            graph.replay()
            # The recorded result's memory belongs to the graph and must live as long as it is replayed.
            return result

        return replay

    @property
    def name(self) -> str:
        return torch.cuda.get_device_name()

    @property
    def free_memory(self) -> int:
        return int(torch.cuda.mem_get_info()[0])

    def flusher(self) -> Callable[[], object]:
        """Writes twice the size of the L2 cache, so that nothing else is left in it."""
        properties = torch.cuda.get_device_properties(torch.cuda.current_device())
        size = 2 * int(getattr(properties, "L2_cache_size", _L2_IF_UNKNOWN))
        return torch.empty(size, dtype=torch.uint8, device="cuda").zero_


def require_gpu() -> TorchGpu:
    """Raises `UnrunnableError` where torch sees no GPU."""
    if not torch.cuda.is_available():
        raise UnrunnableError("torch sees no CUDA device here")
    return TorchGpu()
