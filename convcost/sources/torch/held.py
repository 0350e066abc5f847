"""What a run really held in memory: every storage from the call that made it until Python let go of it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import torch
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

from convcost.sources.torch.inputs import tensors_in
from convcost.sources.torch.lowering.table import aten

# Calls that torch composes of others on every device, and that make more on the way than they give: copies of what they
# multiply, the place of every maximum, what was cast to another type.
_COMPOSED = frozenset(
    aten(
        "bilinear einsum inner linalg_matmul log_softmax matmul max_pool2d max_pool3d rnn_relu_cell rnn_tanh_cell "
        "softmax tensordot"
    )
)
# What these hold on the way differs from device to device, or they change which memory a tensor lies in.
_NOT_FOLLOWED = frozenset(
    aten(
        "gru gru_cell lstm lstm_cell resize resize_as rnn_relu rnn_tanh set "
        "binary_cross_entropy binary_cross_entropy_with_logits col2im huber_loss kl_div log_sigmoid max_pool1d "
        "mse_loss rrelu smooth_l1_loss soft_margin_loss"
    )
)
(_ATTENTION,) = aten("scaled_dot_product_attention")
_Result = TypeVar("_Result")


class HeldBytes:
    """A running sum of the bytes alive, and its largest value.

    A variable keeps its tensor until it is bound anew or its function returns, and a caller keeps what it passed on:
    longer than until the last use, which is all that a graph can tell.
    """

    __slots__ = ("_alive", "_followed", "_now", "_peak")

    def __init__(self, inputs: Iterable[torch.Tensor]) -> None:
        self._alive: dict[int, weakref.ref[torch.UntypedStorage]] = {}
        self._followed = True
        self._now = self._peak = 0
        self.hold(inputs)

    @property
    def peak(self) -> int | None:
        """In bytes; None where some memory could not be followed."""
        return self._peak if self._followed else None

    def run(self, operator: str, operands: Sequence[torch.Tensor], call: Callable[[], _Result]) -> tuple[_Result, int]:
        """What a call of an operator gives, and by how many bytes what it makes on the way lifts what is held."""
        if operator in _NOT_FOLLOWED or _is_uneven_attention(operator, operands):
            self.lose_track()
        if operator not in _COMPOSED and not _is_unfused_attention(operator, operands):
            return call(), 0
        before, peak = self._now, self._peak
        self._peak = before
        try:
            with _Inside(self):
                return call(), self._peak - before
        finally:
            self._peak = max(peak, self._peak)

    def lift(self, nbytes: int) -> None:
        """Holds so many bytes for a moment: those of a call like an earlier one, which is not made."""
        self._peak = max(self._peak, self._now + nbytes)

    def hold(self, tensors: Iterable[torch.Tensor]) -> None:
        """Adds memory that is alive from now on; what is known already stays as it is."""
        for tensor in tensors:
            self._add(tensor, counted=True)
        self._peak = max(self._peak, self._now)

    def know(self, tensors: Iterable[torch.Tensor]) -> None:
        """Leaves out, from now on, memory that was there before the run."""
        for tensor in tensors:
            self._add(tensor, counted=False)

    def lose_track(self) -> None:
        """What is held from here on is not known: no peak is better than a wrong one."""
        self._followed = False

    def _add(self, tensor: torch.Tensor, *, counted: bool) -> None:
        try:
            storage = tensor.untyped_storage()
        except (NotImplementedError, RuntimeError):  # a sparse tensor, or a subclass that wraps others
            self.lose_track()
            return
        key, nbytes = int(storage._cdata), storage.nbytes() * counted
        if key not in self._alive:
            self._alive[key] = weakref.ref(storage, partial(self._let_go, key, nbytes))
            self._now += nbytes

    def _let_go(self, key: int, nbytes: int, _: weakref.ref[torch.UntypedStorage]) -> None:
        del self._alive[key]
        self._now -= nbytes


def _is_unfused_attention(operator: str, operands: Sequence[torch.Tensor]) -> bool:
    """Fused kernels, which hold no map of attention, take four axes on every device: without a head axis none runs."""
    return operator == _ATTENTION and operands[0].dim() != 4


def _is_uneven_attention(operator: str, operands: Sequence[torch.Tensor]) -> bool:
    """Which of these a fused kernel takes, and which are done with a map of attention, the device decides."""
    if operator != _ATTENTION or operands[0].dim() != 4:
        return False
    query, key, value = operands[:3]
    alike = query.shape[0] == key.shape[0] == value.shape[0] and query.shape[-1] == value.shape[-1]
    return not alike or any(each.stride(-1) != 1 for each in (query, key, value))


class _Inside(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's base class is not annotated
    """Sees the calls that one call is composed of."""

    def __init__(self, held: HeldBytes) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._held = held

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: Sequence[type],
        args: tuple[object, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        self._held.know(tensors_in((args, kwargs)))  # a constant that the call alone refers to
        with self:
            result = func.decompose(*args, **(kwargs or {}))
        if result is NotImplemented:
            result = func(*args, **(kwargs or {}))
        self._held.hold(tensors_in(result))
        return result
