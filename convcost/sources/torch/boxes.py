"""Quantized layers keep their weights in boxes that only torch can open."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn


def unpacked(box: torch.ScriptObject) -> tuple[nn.Parameter, ...]:
    """The weight and bias of a box as parameters; of a recurrent cell's, those of every box inside it."""
    return tuple(nn.Parameter(part, requires_grad=False) for part in _parts(box))


def _parts(box: torch.ScriptObject) -> list[torch.Tensor]:
    if hasattr(box, "unpack"):
        parts = box.unpack()  # an embedding's box holds its table alone
        return [parts] if isinstance(parts, torch.Tensor) else [part for part in parts if part is not None]
    state, _ = cast("tuple[tuple[object, ...], str]", box.__getstate__())
    return [part for inner in cast("list[torch.ScriptObject]", state[-1]) for part in _parts(inner)]
