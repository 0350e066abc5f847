"""Pooling over windows, and to a given output size."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from convcost.dataclasses import dataclass
from convcost.errors import ShapeError
from convcost.graph.ops.base import Arithmetic, Op, Shapes
from convcost.graph.ops.conv import Pads
from convcost.graph.tensor import Shape

PoolMethod = Literal["max", "avg", "lp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool(Op):
    """A maximum or mean over sliding windows of the trailing spatial axes."""

    method: PoolMethod
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pads: Pads
    dilation: tuple[int, ...]
    ceil_mode: bool = False

    family: ClassVar[str] = "pool"
    formula: ClassVar[str] = "0 MACs; out_elements * prod(kernel) other ops"
    reference: ClassVar[str] = "one comparison or addition per tap; docs/conventions.md: pooling is other ops"

    def output_shapes(self, operands: Shapes) -> Shapes:
        lead, spatial = _split(operands[0], len(self.kernel))
        sizes = zip(spatial, self.kernel, self.stride, self.pads, self.dilation, strict=True)
        return ((*lead, *(self._output_size(*axis) for axis in sizes)),)

    def _output_size(self, size: int, kernel: int, stride: int, pad: tuple[int, int], dilation: int) -> int:
        room = size + sum(pad) - dilation * (kernel - 1) - 1
        windows = (-(-room // stride) if self.ceil_mode else room // stride) + 1
        if windows < 1:
            raise ShapeError(f"pooling window {kernel} is larger than the padded input of {size + sum(pad)}")
        # A window that would start in the padding after the data is dropped, as torch and ONNX both do.
        starts_outside = self.ceil_mode and (windows - 1) * stride >= size + pad[0]
        return windows - 1 if starts_outside else windows

    def arithmetic(self, operands: Shapes, outputs: Shapes) -> Arithmetic:
        return Arithmetic(0, math.prod(outputs[0]) * math.prod(self.kernel))


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptivePool(Op):
    """Pools the trailing spatial axes to `output_size`; all ones is global pooling."""

    method: PoolMethod
    output_size: tuple[int, ...]

    family: ClassVar[str] = "global_pool"
    formula: ClassVar[str] = "0 MACs; other ops: one per element of every window (for global pooling: of the input)"
    reference: ClassVar[str] = "torch.nn.AdaptiveAvgPool: window i spans floor(i*in/out) to ceil((i+1)*in/out)"

    @property
    def kind(self) -> str:
        return "global_pool" if set(self.output_size) == {1} else "pool"

    def output_shapes(self, operands: Shapes) -> Shapes:
        lead, _ = _split(operands[0], len(self.output_size))
        return ((*lead, *self.output_size),)

    def arithmetic(self, operands: Shapes, outputs: Shapes) -> Arithmetic:
        lead, spatial = _split(operands[0], len(self.output_size))
        taps = math.prod(_window_taps(size, out) for size, out in zip(spatial, self.output_size, strict=True))
        return Arithmetic(0, math.prod(lead) * taps)


def _split(shape: Shape, axes: int) -> tuple[Shape, Shape]:
    """The leading axes, and the `axes` that are pooled."""
    if len(shape) < axes:
        raise ShapeError(f"cannot pool {axes} axes of a tensor of shape {list(shape)}")
    return shape[: len(shape) - axes], shape[len(shape) - axes :]


def _window_taps(size: int, windows: int) -> int:
    return sum(-(-(i + 1) * size // windows) - i * size // windows for i in range(windows))
