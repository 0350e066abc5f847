"""Torch's global switches during a run, and as they were afterwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def torch_unchanged() -> Iterator[None]:
    """Puts back the random state, gradient mode and default element type, whatever happens inside.

    Inside, the fused attention kernels are off: they would hide the work they do behind one call. The switches are the
    process's, so a second thread waits: of two at once, the last would put back what the first had set.
    """
    with _ONE_AT_A_TIME, _switches_put_back():
        yield


@contextmanager
def _switches_put_back() -> Iterator[None]:
    state = torch.random.get_rng_state()
    gradients = torch.is_grad_enabled()
    dtype = torch.get_default_dtype()
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(gradients)
        torch.random.set_rng_state(state)
