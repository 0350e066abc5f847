"""Whether training would send gradients back through what runs now, told without recording any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def no_gradients_recorded(*, inference: bool) -> Iterator[None]:
    """Nothing is recorded for a backward pass, and yet the model's own switches can be read.

    `inference_mode` throws every switch there is; each is put back, so that whichever is off was thrown inside.
    Without it, only frozen weights keep torch from recording.
    """
    with (
        torch.inference_mode(inference),
        torch.enable_grad(),
        torch.autograd.set_multithreading_enabled(True),
        torch.autograd.forward_ad._set_fwd_grad_enabled(True),
    ):
        yield


class Gradients:
    """Follows the switches of the thread that runs the model."""

    def __init__(self) -> None:
        self._off = False

    @property
    def off(self) -> bool:
        """Whether the operator that runs now is one that no gradient passes: under `no_grad` or `inference_mode`.

        The forward of a custom `autograd.Function` runs with gradients off too, but has a backward of its own:
        there it is as it was where the function was called.
        """
        if not torch._C._is_multithreading_enabled():
            return True  # only inference_mode throws this switch
        if torch._C._is_fwd_grad_enabled():  # only a Function, and inference_mode, throw this one
            self._off = not torch.is_grad_enabled()
        return self._off
