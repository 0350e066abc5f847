"""Tensors without values: a name, a shape, an element type, and the memory they live in."""

from __future__ import annotations

import enum
import math
from dataclasses import field

from convcost.dataclasses import dataclass
from convcost.errors import ShapeError

Shape = tuple[int, ...]

MAX_RANK = 64
"""As in torch and NumPy; products of the sizes of more could have any number of digits."""


def _high_rank(name: str, shape: Shape) -> ShapeError:
    return ShapeError(f"'{name:.60}' has {len(shape):,} dimensions, more than {MAX_RANK}")


class DType(enum.Enum):
    """Element types, by the names torch uses; the value is the width in bits.

    A string element is counted as the 64-bit reference that holds it; its characters are not counted.
    """

    bits: int
    is_complex: bool

    def __new__(cls, label: str, bits: int) -> DType:
        member = object.__new__(cls)
        member._value_ = label
        member.bits = bits
        member.is_complex = label.startswith("complex")
        return member

    __hash__ = object.__hash__  # members are few and alike only to themselves; Enum would hash their names

    FLOAT64 = "float64", 64
    FLOAT32 = "float32", 32
    FLOAT16 = "float16", 16
    BFLOAT16 = "bfloat16", 16
    FLOAT8_E4M3FN = "float8_e4m3fn", 8
    FLOAT8_E4M3FNUZ = "float8_e4m3fnuz", 8
    FLOAT8_E5M2 = "float8_e5m2", 8
    FLOAT8_E5M2FNUZ = "float8_e5m2fnuz", 8
    FLOAT8_E8M0FNU = "float8_e8m0fnu", 8
    FLOAT4_E2M1 = "float4_e2m1", 4
    COMPLEX32 = "complex32", 32
    COMPLEX64 = "complex64", 64
    COMPLEX128 = "complex128", 128
    INT64 = "int64", 64
    INT32 = "int32", 32
    INT16 = "int16", 16
    INT8 = "int8", 8
    INT4 = "int4", 4
    INT2 = "int2", 2
    UINT64 = "uint64", 64
    UINT32 = "uint32", 32
    UINT16 = "uint16", 16
    UINT8 = "uint8", 8
    UINT4 = "uint4", 4
    UINT2 = "uint2", 2
    BOOL = "bool", 8
    STRING = "string", 64

    @property
    def is_floating(self) -> bool:
        return str(self.value).startswith(("float", "bfloat"))

    @property
    def is_differentiable(self) -> bool:
        """Whether gradients are taken by values of this type."""
        return self.is_floating or self.is_complex

    def nbytes(self, elements: int) -> int:
        """Bytes of `elements` packed elements, rounded up to a whole byte (two int4 share one)."""
        return -(-elements * self.bits // 8)


class Role(enum.Enum):
    """Why a tensor is stored with the model; only parameters count as `params`."""

    PARAMETER = "parameter"
    BUFFER = "buffer"
    CONSTANT = "constant"

    __hash__ = object.__hash__  # as for `DType`


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteRange:
    """Where the elements of a weight lie: `length` bytes at `offset` of the file at `path`.

    `beside` is the model file that names it, where that is another: nothing outside that one's folder is read.
    """

    path: str
    offset: int
    length: int
    beside: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """A tensor stored with the model, once, whatever uses it. Its values are not in memory.

    `trainable` says whether training changes a parameter (PyTorch's `requires_grad`); no other role is trained.
    `packed` is how many values the elements hold where that is not one each: two of four bits lie in one byte.
    """

    name: str
    shape: Shape
    dtype: DType = DType.FLOAT32
    role: Role = Role.PARAMETER
    stored: ByteRange | None = None
    trainable: bool = True
    packed: int | None = None

    def __post_init__(self) -> None:
        if len(self.shape) > MAX_RANK:
            raise _high_rank(self.name, self.shape)

    @property
    def numel(self) -> int:
        return math.prod(self.shape)

    @property
    def values(self) -> int:
        """What `params` counts."""
        return self.numel if self.packed is None else self.packed

    @property
    def nbytes(self) -> int:
        return self.dtype.nbytes(self.numel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """A value an op reads or writes; `name` is unique in its graph.

    `weight` is the stored tensor this value is, or is a view of. `alias` names the tensor whose memory
    this one shares (a view, or the result of an in-place op); empty means memory of its own.
    """

    name: str
    shape: Shape
    dtype: DType = DType.FLOAT32
    weight: Weight | None = None
    alias: str = ""
    nbytes: int = field(init=False, repr=False, compare=False)  # worked out once: every total asks for it

    def __post_init__(self) -> None:
        if len(self.shape) > MAX_RANK:
            raise _high_rank(self.name, self.shape)
        object.__setattr__(self, "nbytes", self.dtype.nbytes(math.prod(self.shape)))

    @classmethod
    def of(cls, weight: Weight) -> Tensor:
        """The whole of a stored tensor as an operand."""
        return cls(name=weight.name, shape=weight.shape, dtype=weight.dtype, weight=weight)

    @property
    def buffer(self) -> str:
        """The name of the tensor that owns this one's memory."""
        return self.alias or self.name

    @property
    def numel(self) -> int:
        return math.prod(self.shape)
