"""Calls made before: without values, alike arguments give alike results, which need not be worked out again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from functools import partial
from typing import TypeAlias

import torch
from torch import nn
from torch._ops import OpOverload

from convcost.dataclasses import dataclass
from convcost.sources.torch.call import Signature, tensors_among
from convcost.sources.torch.held import HeldBytes
from convcost.sources.torch.storage import storage_of

_Key: TypeAlias = tuple[object, ...]

_PLAIN = frozenset({torch.Tensor, nn.Parameter})
_NUMBERS = frozenset({int, float, bool})
_OTHERS = frozenset({str, type(None), torch.dtype, torch.device, torch.layout, torch.memory_format})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """All that there is to a new tensor without values."""

    shape: torch.Size
    stride: tuple[int, ...]
    dtype: torch.dtype

    @classmethod
    def of(cls, tensor: torch.Tensor) -> _Form:
        return cls(shape=tensor.shape, stride=tensor.stride(), dtype=tensor.dtype)

    def made(self) -> torch.Tensor:
        return torch.empty_strided(self.shape, self.stride, dtype=self.dtype, device="meta")


class _Outcome(Enum):
    """What a call gives that is not new tensors."""

    GIVEN = "its first argument, written in place or left alone"
    ASKED = "something that torch is asked for every time"


class Remembered:
    """Runs operators on tensors without values, each kind of call once.

    Torch works out shapes and strides in Python, at several times the cost of all that is recorded of them. New
    tensors in memory of their own are made by what is remembered, and a first argument that came back comes back;
    views, and whatever has a value in it, are torch's to give.
    """

    def __init__(self, held: HeldBytes) -> None:
        self._held = held
        self._calls: dict[_Key, tuple[_Outcome | _Form | tuple[_Form, ...], int]] = {}

    def run(self, signature: Signature, args: tuple[object, ...], keywords: Mapping[str, object]) -> object:
        """What the operator gives, or tensors of the same form."""
        key = _key(signature.function, args, keywords)
        if key is None or not torch.is_inference_mode_enabled():  # elsewhere a result may carry gradients
            return self._asked(signature, args, keywords)[0]
        if key not in self._calls:
            result, lifted = self._asked(signature, args, keywords)
            self._calls[key] = _outcome(args, keywords, result), lifted
            return result
        outcome, lifted = self._calls[key]
        if lifted:
            self._held.lift(lifted)
        match outcome:
            case _Form():
                return outcome.made()
            case tuple():
                return tuple(form.made() for form in outcome)
            case _Outcome.GIVEN:
                return args[0]
            case _Outcome.ASKED:
                return self._asked(signature, args, keywords)[0]

    def _asked(
        self, signature: Signature, args: tuple[object, ...], keywords: Mapping[str, object]
    ) -> tuple[object, int]:
        call = partial(signature.function, *args, **keywords)
        return self._held.run(signature.name, tensors_among(args, keywords), call)


def is_rememberable(function: OpOverload) -> bool:
    """Whether torch says of the operator that it gives only new tensors, or only writes over its first argument."""
    schema = function._schema
    if not schema.name.startswith("aten::"):
        return False  # what others say of their operators need not be so
    if not schema.is_mutable:
        return all(returned.alias_info is None for returned in schema.returns)
    written = [argument.alias_info is not None and argument.alias_info.is_write for argument in schema.arguments]
    return torch.Tag.pointwise in function.tags and written[0] and sum(written) == 1


def _key(function: OpOverload, args: tuple[object, ...], keywords: Mapping[str, object]) -> _Key | None:
    """All that the form of a result hangs on; None where an argument is more than its form."""
    parts: list[object] = [function, torch.get_default_dtype()]
    if _collect(args, parts) and (not keywords or (_collect(keywords, parts) and _collect(keywords.values(), parts))):
        return tuple(parts)
    return None


def _collect(values: Iterable[object], parts: list[object]) -> bool:
    for value in values:
        kind = type(value)
        if isinstance(value, torch.Tensor):
            if kind not in _PLAIN or not _is_plain(value):
                return False
            parts += (value.shape, value.stride(), value.dtype)
        elif kind in _NUMBERS:
            parts += (kind, value)  # 1, 1.0 and True are equal, and give different types
        elif kind in _OTHERS:
            parts.append(value)
        elif isinstance(value, (list, tuple)):
            parts += (kind, len(value))
            if not _collect(value, parts):
                return False
        else:
            return False
    return True


def _is_plain(tensor: torch.Tensor) -> bool:
    return tensor.is_meta and tensor.layout is torch.strided and not (tensor.is_complex() or tensor.is_quantized)


def _outcome(
    args: Sequence[object], keywords: Mapping[str, object], result: object
) -> _Outcome | _Form | tuple[_Form, ...]:
    if args and result is args[0]:
        return _Outcome.GIVEN
    results = result if isinstance(result, tuple) else (result,)
    new = [tensor for tensor in results if type(tensor) is torch.Tensor and _is_plain(tensor)]
    storages = {storage_of(tensor) for tensor in new}
    shared = storages & {storage_of(tensor) for tensor in tensors_among(args, keywords)}
    # Some operators give a view that torch does not announce.
    if shared or not len(results) == len(new) == len(storages) or not all(map(_fills_its_memory, new)):
        return _Outcome.ASKED
    forms = tuple(map(_Form.of, new))
    return forms if isinstance(result, tuple) else forms[0]


def _fills_its_memory(tensor: torch.Tensor) -> bool:
    return tensor.untyped_storage().nbytes() == _Form.of(tensor).made().untyped_storage().nbytes()
