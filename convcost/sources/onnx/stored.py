"""Initializers and constants: what is stored with the model, where, and why."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import chain, repeat
from typing import TYPE_CHECKING, NamedTuple

from convcost.dataclasses import copier
from convcost.errors import SourceError
from convcost.graph import DType, Role, Tensor, Weight
from convcost.graph.cache import BoundedCache
from convcost.sources.onnx.dtypes import DTYPES
from convcost.sources.onnx.node import OnnxNode
from convcost.sources.onnx.text import shown
from convcost.sources.onnx.whereabouts import UNTOLD, Payload, Whereabouts

if TYPE_CHECKING:
    from onnx import GraphProto, TensorProto

# Names torch's exporters give to values they computed; one number under such a name is a factor in the code.
_MADE_BY_EXPORTER = re.compile(r"val_\d+|onnx::\w+|/.*|\d+")

# Operand positions of learnable tensors, of running statistics and of quantization's scales and zero points.
_PARAMETERS: dict[str, tuple[int, ...]] = {
    "Attention": (1, 2),
    "BatchNormalization": (1, 2),
    "BiasAdd": (1,),
    "BiasGelu": (1,),
    "Conv": (1, 2),
    "ConvInteger": (1,),
    "ConvTranspose": (1, 2),
    "DeformConv": (1, 3),
    "DequantizeLinear": (0,),
    "DynamicQuantizeLSTM": (1, 2, 3, 7),
    "DynamicQuantizeMatMul": (1, 4),
    "FastGelu": (1,),
    "FusedConv": (1, 2),
    "FusedGemm": (1, 2),
    "FusedMatMul": (0, 1),
    "GatherBlockQuantized": (0,),
    "GRU": (1, 2, 3),
    "Gemm": (0, 1, 2),
    "GroupNormalization": (1, 2),
    "InstanceNormalization": (1, 2),
    "LSTM": (1, 2, 3, 7),
    "LayerNormalization": (1, 2),
    "MatMul": (0, 1),
    "MatMulInteger": (0, 1),
    "MatMulIntegerToFloat": (1, 6),
    "MatMulBnb4": (1,),
    "MatMulNBits": (1, 5),
    "PRelu": (1,),
    "QAttention": (1, 2),
    "QEmbedLayerNormalization": (2, 3, 4, 5, 6),
    "QGemm": (3, 6),
    "QLinearConv": (3, 8),
    "QLinearMatMul": (0, 3),
    "QMoE": (2, 4, 5, 7, 8, 10),
    "RMSNormalization": (1,),
    "RNN": (1, 2, 3),
    "SimplifiedLayerNormalization": (1,),
    "SkipLayerNormalization": (2, 3, 4),
    "SkipSimplifiedLayerNormalization": (2, 3),
}
_BUFFERS: dict[str, tuple[int, ...]] = {"BatchNormalization": (3, 4)}
_CONSTANTS: dict[str, tuple[int, ...]] = {
    "Clip": (1, 2),
    "ConvInteger": (2, 3),
    "DequantizeLinear": (1, 2),
    "DynamicQuantizeLSTM": (8, 9, 10, 11),
    "DynamicQuantizeMatMul": (2, 3),
    "GatherBlockQuantized": (2, 3),
    "GroupQueryAttention": (5, 6, 7, 8, 12, 13),
    "MatMulInteger": (2, 3),
    "MatMulIntegerToFloat": (2, 3, 4, 5),
    "MatMulBnb4": (2,),
    "MatMulNBits": (2, 3),
    "Pad": (1, 2),
    "QAttention": (3, 4, 6, 7),
    "QEmbedLayerNormalization": tuple(range(8, 18)),
    "QGemm": (1, 2, 4, 5, 7, 8),
    "QLinearAdd": (1, 2, 4, 5, 6, 7),
    "QLinearAveragePool": (1, 2, 3, 4),
    "QLinearConv": (1, 2, 4, 5, 6, 7),
    "QLinearGlobalAveragePool": (1, 2, 3, 4),
    "QLinearLeakyRelu": (1, 2, 3, 4),
    "QLinearMatMul": (1, 2, 4, 5, 6, 7),
    "QLinearMul": (1, 2, 4, 5, 6, 7),
    "QLinearReduceMean": (1, 2, 3, 4),
    "QLinearSigmoid": (1, 2, 3, 4),
    "QLinearSoftmax": (1, 2, 3, 4),
    "QLinearWhere": (2, 3, 5, 6, 7, 8),
    "QMoE": (3, 6, 9, 11, 12, 13, *range(15, 21)),
    "QuantizeLinear": (1, 2),
    "Resize": (1, 2, 3),
    "RotaryEmbedding": (1, 2, 3),  # tables of sines and cosines: at 1 and 2, or at 2 and 3 after position ids
    "Upsample": (1,),
}
_TABLES = {Role.PARAMETER: _PARAMETERS, Role.BUFFER: _BUFFERS, Role.CONSTANT: _CONSTANTS}
_ROLES: dict[str, Sequence[tuple[int, Role]]] = {
    operator: [(position, role) for role, table in _TABLES.items() for position in table.get(operator, ())]
    for operator in {**_PARAMETERS, **_BUFFERS, **_CONSTANTS}
}

# A scale and a zero point of the result, then a tensor with its scale and zero point for every part.
_TRIPLES_AFTER_TWO = frozenset({"QLinearConcat"})

SAME_WEIGHT = frozenset(
    {"Identity", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Cast", "DequantizeLinear", "Dropout"}
)
"""Operators through which a stored tensor stays that tensor: a runtime applies them once, when it loads."""

_TELLING = SAME_WEIGHT.union(_TRIPLES_AFTER_TWO, _ROLES)


def roles_by_use(nodes: Sequence[OnnxNode]) -> dict[str, Role]:
    """What the tensors of a graph are used for, told by the nodes that read them, seen through views.

    A tensor with several uses is a parameter before it is a buffer, and a buffer before it is a constant.
    """
    roles: dict[str, Role] = {}
    for node in [each for each in reversed(nodes) if each.op_type in _TELLING]:
        operands = node.input
        for position, role in _uses(node):
            if position < len(operands):
                _raise(roles, operands[position], role)
        if node.op_type in SAME_WEIGHT and operands and node.output and node.output[0] in roles:
            _raise(roles, operands[0], roles[node.output[0]])
    return roles


def _uses(node: OnnxNode) -> Sequence[tuple[int, Role]]:
    if node.op_type in _TRIPLES_AFTER_TWO:
        count = len(node.input)
        return [(position, Role.CONSTANT) for position in range(count) if position < 2 or position % 3 != 2]
    return _ROLES.get(node.op_type, ())


_ORDER = (Role.CONSTANT, Role.BUFFER, Role.PARAMETER)


def _raise(roles: dict[str, Role], name: str, role: Role) -> None:
    known = roles.setdefault(name, role)
    if known is not role and _ORDER.index(role) > _ORDER.index(known):
        roles[name] = role


def initializers(graph: GraphProto, payloads: Sequence[int]) -> Iterator[tuple[TensorProto, Payload]]:
    """Those of a graph; `payloads` are offset and length of the first ones in turn. A sparse one has its dense shape
    and no values.
    """
    told = zip(payloads[::2], payloads[1::2], strict=True)
    yield from zip(graph.initializer, chain(told, repeat(UNTOLD)), strict=False)
    for sparse in graph.sparse_initializer:
        values = sparse.values
        yield type(values)(name=values.name, data_type=values.data_type, dims=sparse.dims), UNTOLD


class _Kind(NamedTuple):
    weight: Weight
    tensor: Tensor
    nbytes: int


_weight_like = copier(Weight, "name", "stored")
_tensor_like = copier(Tensor, "name", "weight")


class StoredTensors:
    """Those of the file at `path`. Many differ in names and places alone: their shapes are checked once."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._whereabouts = Whereabouts(path)
        self._kinds: BoundedCache[tuple[object, ...], _Kind] = BoundedCache()

    def of(
        self, message: TensorProto, name: str, use: Role | None, payload: Payload, *, initializer: bool
    ) -> tuple[Weight, Tensor]:
        """What is stored, and that as an operand. Raises `SourceError` for a shape or type that cannot be."""
        shape = tuple(message.dims[:])  # a slice is a list at once; protobuf's iteration takes twice as long
        if use is None and math.prod(shape) == 1 and _MADE_BY_EXPORTER.fullmatch(name):
            use = Role.CONSTANT
        key = (shape, message.data_type, use, initializer)
        kind = self._kinds.get(key)
        if kind is None:
            dtype = self._checked(name, shape, message.data_type)
            weight = Weight(name=name, shape=shape, dtype=dtype, role=_role(use, shape, dtype, initializer=initializer))
            kind = self._kinds[key] = _Kind(weight, Tensor.of(weight), weight.nbytes)
        weight = _weight_like(kind.weight, name, self._whereabouts.of(message, payload, kind.nbytes))
        return weight, _tensor_like(kind.tensor, name, weight)

    def _checked(self, name: str, shape: tuple[int, ...], number: int) -> DType:
        if shape and min(shape) < 0:
            raise SourceError(f"{self._path}: '{shown(name)}' has a negative size: {list(shape)}")
        dtype = DTYPES.get(number)
        if dtype is None:
            raise SourceError(
                f"{self._path}: '{shown(name)}' has element type {number}, which convcost does not know",
                hint="export the model with a standard element type, or update convcost",
            )
        return dtype


def _role(use: Role | None, shape: tuple[int, ...], dtype: DType, *, initializer: bool) -> Role:
    if not shape and use is not Role.PARAMETER:
        return Role.CONSTANT
    if use is not None:
        return use
    # Integers of a byte or less are quantized values; wider ones are shapes and indices.
    learnt = dtype.is_floating or (dtype.bits <= 8 and dtype is not DType.BOOL)
    return Role.PARAMETER if initializer and learnt else Role.CONSTANT
