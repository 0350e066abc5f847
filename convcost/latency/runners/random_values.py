"""Numbers to run with where a model's own are not at hand: of fixed seed, and tame enough to stay normal numbers.

Timings depend on values only at the extremes: a network whose activations die out computes with denormal numbers,
which are many times slower on CPUs.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from convcost.graph import DType, Shape
from convcost.latency.runners.prepared import UnrunnableError

Values: TypeAlias = npt.NDArray[np.generic]

DTYPES = {str(dtype.value): dtype for dtype in DType}
"""Element types by the name that torch and NumPy share."""


def element_type(dtype: DType) -> np.dtype[np.generic]:
    """NumPy's element type; the narrow floating ones come with onnx. Raises `UnrunnableError` where there is none."""
    import ml_dtypes

    name = str(dtype.value)
    known: object = getattr(ml_dtypes, name, None) or getattr(np, "bool_" if dtype is DType.BOOL else name, None)
    if known is None or dtype.bits < 8:
        raise UnrunnableError(f"random values of type {name} cannot be made")
    return np.dtype(known)  # type: ignore[call-overload,no-any-return]  # ml_dtypes' scalar types are not annotated


def random_weight(shape: Shape, dtype: DType, generator: np.random.Generator) -> Values:
    """Vectors and scalars within 0.5 to 1.5, as scales and variances must be; kernels so that sums keep unit size."""
    if not dtype.is_floating:
        return random_input(shape, dtype, generator)
    if len(shape) < 2:
        return np.asarray(0.5 + generator.random(shape), dtype=element_type(dtype))
    spread = 1 / math.sqrt(max(math.prod(shape[1:]), 1))
    return (generator.standard_normal(shape, dtype=np.float32) * np.float32(spread)).astype(element_type(dtype))


def random_input(shape: Shape, dtype: DType, generator: np.random.Generator) -> Values:
    """Standard normal values; of integers 0 and 1, which are indices into anything."""
    # NumPy gives a number, not an array, for an empty shape.
    if dtype.is_floating:
        return np.asarray(generator.standard_normal(shape, dtype=np.float32), dtype=element_type(dtype))
    if dtype is DType.BOOL:
        return np.ones(shape, dtype=np.bool_)
    return np.asarray(generator.integers(0, 2, shape), dtype=element_type(dtype))
