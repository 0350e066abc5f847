"""What `torch.autocast` does to operators, for tensors without values: torch itself looks past those."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Literal, TypeAlias

import torch
from torch._ops import OpOverload

from convcost.sources.torch.call import Signature, tensors_among
from convcost.sources.torch.inputs import mapped
from convcost.sources.torch.lowering.table import aten

_Policy: TypeAlias = Literal["lower", "single", "single result", "widest"]
_Arguments: TypeAlias = tuple[tuple[object, ...], Mapping[str, object]]

# Which operators autocast touches, torch can be asked; not what it does to them. These it runs in the lower type:
_LOWERED = frozenset(
    aten(
        "_convolution conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d convolution "
        "cudnn_convolution cudnn_convolution_transpose _mps_convolution linear matmul mm bmm mv addmm addmv addr "
        "addbmm baddbmm _addmm_activation einsum chain_matmul linalg_multi_dot linalg_vecdot prelu lstm_cell gru_cell "
        "rnn_tanh_cell rnn_relu_cell _thnn_fused_lstm_cell _thnn_fused_gru_cell mkldnn_rnn_layer "
        "scaled_dot_product_attention _scaled_dot_product_flash_attention _native_multi_head_attention"
    )
)
# These in the widest of their operands' types, and all others in single precision.
_WIDEST = frozenset(
    aten(
        "addcdiv addcmul atan2 bilinear cat cross dot grid_sampler index_copy index_put scatter_add stack tensordot "
        "vdot"
    )
)


class Autocast:
    """A context that sees a model enter and leave `torch.autocast`, and casts operands as it would have.

    `device` is what autocast was last entered for, and None outside. For a GPU it can be entered where there is none.
    """

    def __init__(self) -> None:
        self.device: str | None = None
        self._entered: list[str] = []
        self._policies: dict[tuple[OpOverload, str], _Policy | None] = {}
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
        others = [other for other in self._entered if other != device]
        self._entered = [*others, device] if enabled else others
        self.device = self._entered[-1] if self._entered else None

    def _clear_cache(self, original: Callable[[], object]) -> None:
        original()
        self._cast_weights.clear()

    @contextmanager
    def inside(self, function: OpOverload) -> Iterator[None]:
        """While an operator that autocast has seen to is taken apart, its parts are left as they are."""
        before = self.device
        if self._policy(function) is not None:
            self.device = None
        try:
            yield
        finally:
            self.device = before

    def cast(self, function: OpOverload, args: tuple[object, ...], keywords: Mapping[str, object]) -> _Arguments:
        """The arguments that the operator would really get."""
        policy, device = self._policy(function), self.device
        if policy is None or device is None:
            return args, keywords
        lower = torch.get_autocast_dtype(device)
        self._seen[f'torch.autocast("{device}", {lower})'] = None
        if policy == "single result":
            return args, {"dtype": torch.float32, **keywords}
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

    def _policy(self, function: OpOverload) -> _Policy | None:
        device = self.device
        if device is None:
            return None
        if (function, device) not in self._policies:
            self._policies[function, device] = _policy_of(function, device)
        return self._policies[function, device]


def _policy_of(function: OpOverload, device: str) -> _Policy | None:
    signature = Signature(function)
    schema = function._schema
    name = f"{schema.name}.{schema.overload_name}".removesuffix(".")
    if not torch._C._dispatch_has_kernel_for_dispatch_key(name, f"Autocast{device.upper()}"):
        return None
    if signature.name in _LOWERED:
        return "lower"
    if signature.name in _WIDEST:
        return "widest"
    # A GPU's kernels read the lower type and give single precision.
    return "single result" if "dtype" in signature.positions and device != "cpu" else "single"


def _is_cast(tensor: torch.Tensor) -> bool:
    return tensor.is_floating_point() and tensor.dtype is not torch.float64
