"""The same layer in the frequency domain: exact, with fewer multiplies where the kernel is large."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

from convcost.alternatives.base import Alternative, AnyConv, NotApplicable
from convcost.alternatives.symbols import Symbols
from convcost.dataclasses import dataclass
from convcost.graph import Node
from convcost.graph.ops import ConvTranspose, FftConv


@dataclass(frozen=True, slots=True, kw_only=True)
class Fft(Alternative):
    """Real Fourier transforms of S (`size`) a side, a power of two, each good for S - D_K + 1 outputs a side.

    Without `size`, the power of two that takes the whole padded map. The layer, its weights and its result stay the
    same; its MACs are the effective ones (four for a complex product), and the transforms of tiles other ops.
    """

    size: int | None = None

    name: ClassVar[str] = "fft"
    summary: ClassVar[str] = "the same layer by Fourier transforms, with fewer multiplies for large kernels"
    reference: ClassVar[str] = "Mathieu et al. 2014 (Fast training through FFTs), 2.1; tiles: overlap-save"

    def rewrite(self, layer: Node, conv: AnyConv) -> tuple[Node, ...] | NotApplicable:
        if isinstance(conv, ConvTranspose):
            return NotApplicable(reason="for convolutions that are not transposed")
        if set(conv.stride) | set(conv.dilation) != {1}:
            return NotApplicable(reason="for stride 1 and dilation 1 only")
        if math.prod(conv.kernel) == 1:
            return NotApplicable(reason="a 1×1 kernel is a point in space: there is nothing to transform")
        if self.size is not None and (self.size & (self.size - 1) or self.size < max(conv.kernel)):
            return NotApplicable(reason=f"{self.size} is not a power of two that holds a kernel of {max(conv.kernel)}")
        attributes = {field.name: getattr(conv, field.name) for field in dataclasses.fields(conv)}
        return (dataclasses.replace(layer, op=FftConv(size=self.size, **attributes)),)

    def formula(self, conv: AnyConv) -> str:
        symbols = Symbols.of(conv)
        axes = list(zip(symbols.kernel, conv.kernel, strict=True))
        transformed = sum(size > 1 for _, size in axes)
        spectrum = "·".join(["S"] * (transformed - 1) + ["(S / 2 + 1)"])
        tiles = "·".join(f"⌈D_F / (S − {side} + 1)⌉" if size > 1 else "D_F" for side, size in axes)
        return f"4·{spectrum}·M·N·{tiles}{symbols.per_group}"

    def label(self, conv: AnyConv) -> str:
        return f"fft S={self.size}" if self.size else "fft"
