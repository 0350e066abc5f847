"""Large copies, which are limited by memory alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from convcost.latency.protocol import Subject
from convcost.latency.runners.cuda import event_timed
from convcost.latency.runners.memory import free_memory
from convcost.latency.runners.prepared import host_timed
from convcost.latency.setting import Setting

_Bytes: TypeAlias = npt.NDArray[np.uint8]

_MOST_ON_CPU = 1 << 29
_MOST_ON_GPU = 1 << 30


@contextmanager
def large_copy(setting: Setting) -> Iterator[tuple[Subject, int]]:
    """A copy from one buffer to another, shared by the setting's threads, and the bytes each call moves.

    What is copied is read and written, so that the bytes are twice the buffer's. The buffer is larger than any
    cache but the largest, and an eighth of the free memory where that is short.
    """
    if setting.device == "cuda":
        yield _gpu_copy()
        return
    size = min(_MOST_ON_CPU, free_memory() // 8) // setting.threads
    # Written once, so that no page is handed out for the first time while the copy is timed.
    sources = [np.full(size, 1, dtype=np.uint8) for _ in range(setting.threads)]
    targets = [np.full(size, 2, dtype=np.uint8) for _ in range(setting.threads)]
    with ThreadPoolExecutor(setting.threads) as pool:
        yield host_timed(_shared(pool, targets, sources)), 2 * size * setting.threads


def _shared(pool: ThreadPoolExecutor, targets: list[_Bytes], sources: list[_Bytes]) -> Callable[[], object]:
    if len(targets) == 1:
        return lambda: np.copyto(targets[0], sources[0])
    # NumPy lets go of the interpreter's lock while it copies.
    return lambda: list(pool.map(np.copyto, targets, sources))


def _gpu_copy() -> tuple[Subject, int]:
    import torch

    from convcost.latency.runners.torch_gpu import require_gpu

    gpu = require_gpu()
    size = min(_MOST_ON_GPU, gpu.free_memory // 8)
    source = torch.ones(size, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    return event_timed(lambda: target.copy_(source), gpu), 2 * size
