"""Stored tensors that lie in the same memory: tied weights, and parts of larger ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from convcost.graph import Role
from convcost.sources.torch.storage import storage_of


class _Place(NamedTuple):
    """Which bytes of its storage a tensor reads: from `start` to `end` in `steps` of (stride, size); all if `dense`."""

    start: int
    end: int
    steps: tuple[tuple[int, int], ...]
    dense: bool

    @classmethod
    def of(cls, tensor: torch.Tensor) -> _Place:
        width, offset = tensor.element_size(), int(tensor.storage_offset())
        axes = zip(tensor.stride(), tensor.shape, strict=True)
        steps = tuple(sorted((int(stride) * width, int(size)) for stride, size in axes if size > 1))
        start = offset * width
        end = start + width + sum(stride * (size - 1) for stride, size in steps)
        return cls(start, end, steps, dense=end - start == tensor.nbytes)

    def holds(self, other: _Place) -> bool:
        """Whether all that the other reads is read here."""
        if self.dense:
            return self.start <= other.start and other.end <= self.end
        return (self.start, self.steps) == (other.start, other.steps)


def owners_of(tensors: Sequence[tuple[torch.Tensor, Role]]) -> list[int]:
    """For every stored tensor, the index of the one whose elements it reads: mostly its own.

    A tensor that lies wholly within another's memory (the same, turned, reshaped or a part) is that one's; of two
    that read the same elements the first is the owner. A buffer owns no parameter. Two of which each has elements
    that the other has not are stored one by one, and what they may share counts in both.
    """
    owners = list(range(len(tensors)))
    shared: dict[int, list[int]] = {}
    for index, (tensor, _) in enumerate(tensors):
        storage = storage_of(tensor)
        # A tensor of no elements, or of no plain memory, is only ever itself.
        if storage is not None and tensor.layout is torch.strided and tensor.numel():
            shared.setdefault(storage, []).append(index)
    for together in shared.values():
        if len(together) > 1:
            _settle(together, tensors, owners)
    return owners


def _settle(together: Sequence[int], tensors: Sequence[tuple[torch.Tensor, Role]], owners: list[int]) -> None:
    """Parameters first, the largest first: whatever could own a tensor has been seen before it."""
    places = {index: _Place.of(tensors[index][0]) for index in together}
    by_size = sorted(
        together, key=lambda index: (tensors[index][1] is not Role.PARAMETER, places[index].start - places[index].end)
    )
    apart: list[int] = []
    for index in by_size:
        owner = next((other for other in apart if places[other].holds(places[index])), None)
        if owner is None:
            apart.append(index)
        else:
            owners[index] = owner
