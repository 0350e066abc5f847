"""What a model is run on: shapes, specs or tensors, in whatever nesting `forward` takes them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field

import torch
from torch import nn

from convcost.dataclasses import dataclass
from convcost.errors import SourceError
from convcost.graph import DType
from convcost.sources.request import InputSpec
from convcost.sources.torch.call import refuse_nested


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The positional and keyword arguments of a call of `forward`, tensors still as specs where given so."""

    positional: tuple[object, ...] = ()
    keywords: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, inputs: object, keywords: Mapping[str, object]) -> Arguments:
        """Reads what a Python caller gives: a lone tensor or shape is taken as the only input."""
        if isinstance(inputs, (torch.Tensor, InputSpec)) or _is_shape(inputs):
            return cls(positional=(inputs,), keywords=keywords)
        if not isinstance(inputs, Sequence):
            raise SourceError(
                f"inputs are a sequence of tensors or shapes, not {type(inputs).__name__}",
                hint="inputs=((1, 3, 224, 224),); keyword arguments of forward go into kwargs",
            )
        return cls(positional=tuple(inputs), keywords=keywords)

    @classmethod
    def from_specs(cls, specs: Sequence[InputSpec], module: nn.Module) -> Arguments:
        """Named specs become keyword arguments. Raises `SourceError` for a name `forward` does not take."""
        known = parameter_names(module)
        for spec in specs:
            if spec.name is not None and known is not None and spec.name not in known:
                raise SourceError(f"the model has no input '{spec.name}'", hint=f"its inputs are: {', '.join(known)}")
        return cls(
            positional=tuple(spec for spec in specs if spec.name is None),
            keywords={spec.name: spec for spec in specs if spec.name is not None},
        )

    def on(self, device: torch.device, dtype: torch.dtype) -> tuple[tuple[object, ...], dict[str, object]]:
        """The arguments as tensors on a device; specs become ones (zeros for integers), without values on meta."""
        return (
            tuple(_tensors(value, device, dtype) for value in self.positional),
            {name: _tensors(value, device, dtype) for name, value in self.keywords.items()},
        )


def parameter_names(module: nn.Module) -> list[str] | None:
    """What `forward` calls its parameters; None where it takes any or cannot say."""
    try:
        parameters = inspect.signature(module.forward).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return [parameter.name for parameter in parameters if parameter.kind is not parameter.VAR_POSITIONAL]


def takes_no_inputs(module: nn.Module) -> bool:
    """Whether `forward` can be called without arguments."""
    try:
        parameters = inspect.signature(module.forward).parameters.values()
    except (TypeError, ValueError):
        return False
    return all(
        parameter.default is not parameter.empty or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        for parameter in parameters
    )


def named_tensors(
    positional: tuple[object, ...], keywords: Mapping[str, object], module: nn.Module
) -> Iterator[tuple[str, torch.Tensor]]:
    """Every input tensor with a name: `x`, or `pair.0` for one inside a tuple, `batch.ids` inside a dict."""
    names = parameter_names(module) or []
    for index, value in enumerate(positional):
        yield from _walk(names[index] if index < len(names) else f"input_{index}", value)
    for name, value in keywords.items():
        yield from _walk(name, value)


def tensors_in(value: object) -> Iterator[torch.Tensor]:
    """The tensors of a model's result, in containers and on plain result objects."""
    for _, tensor in _walk("", value, attributes=True):
        yield tensor


def _walk(name: str, value: object, *, attributes: bool = False) -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(value, torch.Tensor):
        yield name, value
        return
    items: Sequence[tuple[object, object]] = ()
    if isinstance(value, Mapping):
        items = tuple(value.items())
    elif isinstance(value, (tuple, list)):
        items = tuple(enumerate(value))
    elif attributes and hasattr(value, "__dataclass_fields__"):
        items = tuple((key, getattr(value, key, None)) for key in value.__dataclass_fields__)
    for key, item in items:
        yield from _walk(f"{name}.{key}", item, attributes=attributes)


def _is_shape(value: object) -> bool:
    return isinstance(value, (tuple, list)) and bool(value) and all(type(size) is int for size in value)


def _tensors(value: object, device: torch.device, dtype: torch.dtype) -> object:
    if isinstance(value, torch.Tensor):
        return _on(value, device)
    if isinstance(value, InputSpec):
        return _made(value.shape, device, torch_dtype(value.dtype) if value.dtype else dtype)
    if isinstance(value, (tuple, list)) and _is_shape(value):
        return _made(tuple(value), device, dtype)
    return mapped(value, lambda item: _tensors(item, device, dtype))


def mapped(value: object, change: Callable[[object], object]) -> object:
    """A tuple, list or dict of changed items, in the same type; anything else as it is."""
    match value:
        case dict():
            return type(value)((key, change(item)) for key, item in value.items())
        case tuple() if hasattr(value, "_make"):
            return value._make(map(change, value))
        case tuple() | list():
            return type(value)(map(change, value))
        case _:
            return value


def _on(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A copy, for a model that works in place must not change what the caller holds."""
    refuse_nested((tensor,))
    if device.type == "meta":
        return tensor.detach().to("meta") if not tensor.is_meta else tensor.detach().clone()
    if tensor.is_meta:
        return _made(tuple(tensor.shape), device, tensor.dtype)
    return tensor.detach().to(device, copy=True)


def _made(shape: tuple[int, ...], device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    if any(size < 0 for size in shape):
        raise SourceError(f"an input's sizes are not negative, but its shape is {list(shape)}")
    if device.type == "meta":
        return torch.empty(shape, device=device, dtype=dtype)
    # Zero is an index into any table; ones keep divisions and logarithms finite.
    fill = torch.ones if dtype.is_floating_point or dtype.is_complex else torch.zeros
    return fill(shape, device=device, dtype=dtype)


def torch_dtype(dtype: DType) -> torch.dtype:
    """Torch's element type. Raises `SourceError` for one that torch has not."""
    found = getattr(torch, dtype.value, None)
    if not isinstance(found, torch.dtype):
        raise SourceError(f"PyTorch has no element type '{dtype.value}'")
    return found
