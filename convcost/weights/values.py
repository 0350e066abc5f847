"""What keeps a kernel's values from having a spectrum, in words."""

from __future__ import annotations

import numpy as np

from convcost.alternatives import AnyConv
from convcost.graph import DType, Tensor
from convcost.weights.read import FloatArray
from convcost.weights.result import Finding

_SPECTRAL = (DType.FLOAT64, DType.FLOAT32, DType.FLOAT16, DType.BFLOAT16)


def unreadable(operand: Tensor, conv: AnyConv) -> Finding | None:
    """Why the numbers of a convolution's kernel operand should not even be read; None where they can be."""
    weight = operand.weight
    if weight is None:
        return Finding(code="computed", message="its kernel is computed by the network, not stored")
    if weight.dtype not in _SPECTRAL:
        return Finding(
            code="quantized",
            message=f"'{weight.name}' is quantized to {weight.dtype.value}: without its scales the values mean little",
        )
    if operand.name != weight.name or weight.shape != conv.weight_shape:
        # Even a view of the same shape may be a transposition: kernels are square as often as not.
        return Finding(
            code="view",
            message=f"its kernel is a part or a rearrangement of '{weight.name}', whose layout is not known",
        )
    return None


def value_finding(kernel: FloatArray) -> Finding | None:
    """NaN, infinite or all-zero values; an empty kernel counts as zero."""
    if np.isnan(kernel).any():
        return Finding(code="nan", message=f"{int(np.isnan(kernel).sum()):,} of {kernel.size:,} values are NaN")
    if np.isinf(kernel).any():
        return Finding(code="inf", message=f"{int(np.isinf(kernel).sum()):,} of {kernel.size:,} values are infinite")
    if not kernel.any():
        return Finding(code="zero", message="all values are zero")
    return None
