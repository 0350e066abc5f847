"""The values that are kept beside the structure: shapes, axes, indices and other small tensors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnx import TensorProto

_EXTERNAL = 1
"""TensorProto.DataLocation of a tensor whose elements lie in another file."""

MAX_ELEMENTS = 4096
"""Shapes, axes and indices are far smaller; a file may ask for any size."""


def values_of(tensor: TensorProto) -> NDArray[np.generic] | None:
    """The values of a small tensor that the structure kept; None for any other."""
    from onnx import numpy_helper

    if tensor.data_location == _EXTERNAL or math.prod(tensor.dims) > MAX_ELEMENTS or min(tensor.dims, default=0) < 0:
        return None
    try:
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError):
        return None
