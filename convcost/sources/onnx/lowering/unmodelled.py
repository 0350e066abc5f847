"""Operators that are known and not counted, each with its reason."""

from __future__ import annotations

from convcost.graph.ops import Op
from convcost.sources.onnx.lowering.call import Call, NotCountedError
from convcost.sources.onnx.lowering.registry import lowers

_BY_DATA = "the size of its output depends on the data"
_SEQUENCE = "sequences and optional values are not tensors"
_STRING = "the work on strings depends on their characters"
_LINEAR_ALGEBRA = "no convention for the multiplies of a matrix decomposition"

NOT_MODELLED: dict[str, str] = {
    "ConcatFromSequence": _SEQUENCE,
    "Det": _LINEAR_ALGEBRA,
    "ImageDecoder": "the size of a decoded image depends on the data",
    "MaxRoiPool": "how many elements it compares depends on the size of each region",
    "Multinomial": "the work of sampling depends on the data",
    "NonMaxSuppression": _BY_DATA,
    "NonZero": _BY_DATA,
    "Optional": _SEQUENCE,
    "OptionalGetElement": _SEQUENCE,
    "OptionalHasElement": _SEQUENCE,
    "RegexFullMatch": _STRING,
    "SequenceAt": _SEQUENCE,
    "SequenceConstruct": _SEQUENCE,
    "SequenceEmpty": _SEQUENCE,
    "SequenceErase": _SEQUENCE,
    "SequenceInsert": _SEQUENCE,
    "SequenceLength": _SEQUENCE,
    "SequenceMap": _SEQUENCE,
    "SplitToSequence": _SEQUENCE,
    "StringConcat": _STRING,
    "StringNormalizer": _STRING,
    "StringSplit": _STRING,
    "TfIdfVectorizer": _STRING,
    "Unique": _BY_DATA,
}


@lowers(*NOT_MODELLED)
def lower_unmodelled(call: Call) -> Op:
    raise NotCountedError(NOT_MODELLED[call.operator])
