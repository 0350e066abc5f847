"""One layout for every convolution's kernel, whatever its op stores: groups, outputs, inputs, taps."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from convcost.alternatives import AnyConv
from convcost.graph.ops import ConvTranspose
from convcost.weights.read import FloatArray

Kernel: TypeAlias = FloatArray
"""Shape `(g, N/g, M/g, *kernel)`: within group g, what output channel o takes from input channel c at each tap."""


def kernel_shape(conv: AnyConv) -> tuple[int, ...]:
    """The shape of `conv`'s `Kernel`."""
    g = conv.groups
    return (g, conv.out_channels // g, conv.in_channels // g, *conv.kernel)


def from_stored(conv: AnyConv, stored: FloatArray) -> Kernel:
    """The op's weight as a `Kernel`; no value is copied.

    A transposed convolution's weight has its input channels first. Its taps are left as stored: a sum of
    products of taps stays one when they are read backwards.
    """
    g, outputs, inputs, *taps = kernel_shape(conv)
    if isinstance(conv, ConvTranspose):
        return stored.reshape(g, inputs, outputs, *taps).swapaxes(1, 2)
    return stored.reshape(g, outputs, inputs, *taps)


def to_stored(conv: AnyConv, kernel: Kernel) -> FloatArray:
    """The weight that `conv` stores for a `Kernel`: the inverse of `from_stored`."""
    if isinstance(conv, ConvTranspose):
        kernel = kernel.swapaxes(1, 2)
    return np.ascontiguousarray(kernel).reshape(conv.weight_shape)
