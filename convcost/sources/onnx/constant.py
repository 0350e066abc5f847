"""The value of a Constant node, in whichever of its forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from onnx import TensorProto

if TYPE_CHECKING:
    from onnx import AttributeProto

    from convcost.sources.onnx.node import OnnxNode

_FLOAT, _INT64, _STRING = 1, 7, 8

_FORMS: Mapping[str, Callable[[AttributeProto], TensorProto]] = {
    "value": lambda form: form.t,
    "value_float": lambda form: TensorProto(data_type=_FLOAT, float_data=[form.f]),
    "value_floats": lambda form: TensorProto(data_type=_FLOAT, dims=[len(form.floats)], float_data=form.floats),
    "value_int": lambda form: TensorProto(data_type=_INT64, int64_data=[form.i]),
    "value_ints": lambda form: TensorProto(data_type=_INT64, dims=[len(form.ints)], int64_data=form.ints),
    "value_string": lambda form: TensorProto(data_type=_STRING, string_data=[form.s]),
    "value_strings": lambda form: TensorProto(data_type=_STRING, dims=[len(form.strings)], string_data=form.strings),
    # The values of a sparse tensor are not needed, and its dense shape is.
    "sparse_value": lambda form: TensorProto(
        data_type=form.sparse_tensor.values.data_type, dims=form.sparse_tensor.dims
    ),
}


def is_constant(node: OnnxNode) -> bool:
    return node.op_type == "Constant" and node.domain in ("", "ai.onnx")


def constant_tensor(node: OnnxNode) -> TensorProto | None:
    """The node's value as a tensor; None where it has none. A sparse one has its dense shape and no values."""
    for attribute in node.attribute:
        if attribute.name in _FORMS:
            return _FORMS[attribute.name](attribute)
    return None
