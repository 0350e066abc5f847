"""What `torch.autocast` does to operators, where torch does not: without values, and in calls that are seen whole."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeAlias

import torch
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

from convcost.sources.torch.autocast_rules import Policy, is_lstm_of_cells, policy_of
from convcost.sources.torch.call import Signature, tensors_among
from convcost.sources.torch.inputs import mapped

_Arguments: TypeAlias = tuple[tuple[object, ...], Mapping[str, object]]


class Autocast:
    """A context that sees a model enter and leave `torch.autocast`, and casts operands as it would have.

    `device` is what autocast was last entered for, and None outside. For a GPU it can be entered where there is none.
    What torch has cast itself stays as it is.
    """

    def __init__(self) -> None:
        self.device: str | None = None
        self._thread = threading.get_ident()
        self._entered: list[str] = []
        self._policies: dict[tuple[OpOverload, str], Policy | None] = {}
        self._cast_weights: dict[tuple[int, torch.dtype], tuple[weakref.ref[torch.Tensor], torch.Tensor]] = {}
        self._seen: dict[str, None] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(f"operators inside {entered} are counted in the types it gives them" for entered in self._seen)

    def __enter__(self) -> Autocast:
        self._entered = [device for device in ("cpu", "cuda") if torch.is_autocast_enabled(device)]
        self.device = self._entered[-1] if self._entered else None
        self._originals = [(place, name, getattr(place, name)) for place, name, _ in self._replacements()]
        for place, name, replacement in self._replacements():
            setattr(place, name, replacement)
        return self

    def __exit__(self, *raised: object) -> None:
        for place, name, original in self._originals:
            setattr(place, name, original)

    def _replacements(self) -> tuple[tuple[object, str, Callable[..., object]], ...]:
        """`torch.autocast` is written in Python over these."""
        return (
            (torch, "set_autocast_enabled", partial(self._set_enabled, torch.set_autocast_enabled)),
            (torch, "clear_autocast_cache", partial(self._clear_cache, torch.clear_autocast_cache)),
            (torch.cuda.amp.common, "amp_definitely_not_available", lambda: False),
            (torch.cuda, "is_bf16_supported", lambda *_, **__: True),
        )

    def _set_enabled(self, original: Callable[..., object], device: str, enabled: bool) -> None:
        original(device, enabled)
        if threading.get_ident() != self._thread:
            return  # every thread has switches of its own
        others = [other for other in self._entered if other != device]
        self._entered = [*others, device] if enabled else others
        self.device = self._entered[-1] if self._entered else None

    def _clear_cache(self, original: Callable[[], object]) -> None:
        original()
        self._cast_weights.clear()

    @contextmanager
    def inside(self, function: OpOverload, args: tuple[object, ...]) -> Iterator[None]:
        """While an operator that autocast has seen to is taken apart, its parts are left as they are."""
        before = self.device
        if self._policy(function, args) is not None:
            self.device = None
        try:
            yield
        finally:
            self.device = before

    def looks_past(self, function: OpOverload, args: tuple[object, ...]) -> bool:
        """Whether the operator gets what it is given, and what torch composes it of does not."""
        return self.device is not None and self._policy(function, args) is None and _is_composed(function)

    def run_in_parts(self, function: OpOverload, args: tuple[object, ...], keywords: Mapping[str, object]) -> object:
        """What an operator gives that autocast looks past."""
        with _Parts(self):
            return _composed(function, args, keywords)

    def cast(self, function: OpOverload, args: tuple[object, ...], keywords: Mapping[str, object]) -> _Arguments:
        """The arguments that the operator would really get."""
        policy, device = self._policy(function, args), self.device
        if policy is None or device is None:
            return args, keywords
        lower = torch.get_autocast_dtype(device)
        self._seen[f'torch.autocast("{device}", {lower})'] = None
        if policy == "single result":
            return _with_single_result(function, args, keywords)
        given = tensors_among((*args, *keywords.values()))
        wide = policy == "single" or (policy == "widest" and any(tensor.dtype is torch.float32 for tensor in given))
        change = partial(self._as, torch.float32 if wide else lower)
        return tuple(map(change, args)), {name: change(value) for name, value in keywords.items()}

    def _as(self, dtype: torch.dtype, value: object) -> object:
        if not isinstance(value, torch.Tensor):
            return mapped(value, partial(self._as, dtype))
        if not _is_cast(value) or value.dtype is dtype:
            return value
        key = (id(value), dtype)
        known = self._cast_weights.get(key)
        if known is not None and known[0]() is value:
            return known[1]
        result = value.to(dtype)
        if value.requires_grad and value.is_leaf and not value._is_view() and torch.is_autocast_cache_enabled():
            self._cast_weights[key] = (weakref.ref(value), result)
        return result

    def _policy(self, function: OpOverload, args: tuple[object, ...]) -> Policy | None:
        device = self.device
        if device is None or (device == "cpu" and is_lstm_of_cells(function, args)):
            return None
        if (function, device) not in self._policies:
            self._policies[function, device] = policy_of(function, device)
        return self._policies[function, device]


class _Parts(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's base class is not annotated
    """Casts what the parts of one call get."""

    def __init__(self, autocast: Autocast) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._autocast = autocast

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: Sequence[type],
        args: tuple[object, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        args, keywords = self._autocast.cast(func, args, kwargs or {})
        with self, self._autocast.inside(func, args):
            result = _composed(func, args, keywords)
        return func(*args, **keywords) if result is NotImplemented else result


def _is_composed(function: OpOverload) -> bool:
    return function.has_kernel_for_dispatch_key(torch._C.DispatchKey.CompositeImplicitAutograd)


def _composed(function: OpOverload, args: tuple[object, ...], keywords: Mapping[str, object]) -> object:
    """What torch's own composition gives; that in Python is for tracing, and copies what a dropout leaves alone."""
    key = torch._C.DispatchKey.CompositeImplicitAutograd
    name: str = function.name()  # type: ignore[no-untyped-call]  # torch does not annotate it
    if torch._C._dispatch_has_kernel_for_dispatch_key(name, key):
        return function._op_dk(key, *args, **keywords)
    return function.decompose(*args, **keywords)


def _with_single_result(function: OpOverload, args: tuple[object, ...], keywords: Mapping[str, object]) -> _Arguments:
    """Unless a type is asked for, or the operand is one that autocast leaves alone."""
    position = Signature(function).positions["dtype"]
    asked = args[position] if position < len(args) else keywords.get("dtype")
    if asked is not None or not _is_cast(tensors_among(args, keywords)[0]):
        return args, keywords
    return args[:position], {**keywords, "dtype": torch.float32}


def _is_cast(tensor: torch.Tensor) -> bool:
    return tensor.is_floating_point() and tensor.dtype is not torch.float64
