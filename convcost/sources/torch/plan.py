"""What to do with an operator, decided once from its schema."""

from __future__ import annotations

import torch
from torch._ops import OpOverload

from convcost.sources.torch.call import Lowering, Signature
from convcost.sources.torch.lowering import LOWERINGS
from convcost.sources.torch.lowering.elementwise import elementwise
from convcost.sources.torch.remembered import is_rememberable

DETACH = "aten.detach"


class Plan:
    """What to do with one operator, decided at its first call."""

    __slots__ = ("decomposes", "detaches", "lowering", "metadata_only", "rememberable", "shares", "signature")

    def __init__(self, function: OpOverload) -> None:
        self.signature = Signature(function)
        self.lowering: Lowering | None = LOWERINGS.get(self.signature.name)
        if self.lowering is None and torch.Tag.pointwise in function.tags:
            self.lowering = elementwise
        self.decomposes = self.lowering is None
        # Only a move can hand its operand's memory on; nothing else needs the look at storages.
        self.shares = self.lowering is None or self.lowering.__module__.endswith(".move")
        self.metadata_only = torch.Tag.inplace_view in function.tags
        self.detaches = self.signature.name == DETACH
        self.rememberable = is_rememberable(function)
