"""Which tensors lie in the same memory, and on the same kind of device."""

from __future__ import annotations

from collections.abc import Iterable

import torch


def storage_of(tensor: torch.Tensor) -> int | None:
    """An identity of the memory a tensor lies in; None for tensors without one (sparse, wrapper subclasses)."""
    try:
        # Meta storages have no address, but the object behind every storage has.
        return int(tensor.untyped_storage()._cdata)
    except (NotImplementedError, RuntimeError):
        return None


def mixes_devices(operands: Iterable[torch.Tensor]) -> bool:
    """Whether some hold values and others, on meta, none."""
    kinds = {operand.is_meta for operand in operands}
    return len(kinds) > 1


def sharer(result: torch.Tensor, operands: tuple[torch.Tensor, ...]) -> torch.Tensor | None:
    """The operand that the result is, or whose memory it lies in."""
    for operand in operands:
        if operand is result:
            return operand
    storage = storage_of(result)
    if storage is None:
        return None
    return next((operand for operand in operands if storage_of(operand) == storage), None)


def looks_the_same(source: torch.Tensor, result: torch.Tensor) -> bool:
    """Whether two tensors of the same memory read all of it alike."""
    return (
        source.dtype == result.dtype
        and source.shape == result.shape
        and source.stride() == result.stride()
        and source.storage_offset() == result.storage_offset()
    )
