"""One operator call as lowering functions see it: arguments by name, tensors as graph values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

import torch
from torch._ops import OpOverload

from convcost.errors import SourceError
from convcost.graph import DType, Shape, Tensor
from convcost.graph.ops import Op

_DTYPES: dict[torch.dtype, DType] = {
    getattr(torch, dtype.value): dtype for dtype in DType if isinstance(getattr(torch, dtype.value, None), torch.dtype)
} | {
    torch.qint8: DType.INT8,
    torch.quint8: DType.UINT8,
    torch.qint32: DType.INT32,
    torch.quint4x2: DType.UINT4,
    torch.quint2x4: DType.UINT2,
}


def dtype_of(tensor: torch.Tensor) -> DType:
    """The graph's element type; raises `LookupError` for the few torch types that have no width we know."""
    return _DTYPES[tensor.dtype]


def refuse_nested(tensors: Iterable[torch.Tensor]) -> None:
    """Raises `SourceError` for a tensor of several lengths, which has no one shape to count by."""
    if any(tensor.is_nested for tensor in tensors):
        raise SourceError(
            "the model works on nested tensors, whose rows differ in length: they have no shape to count by",
            hint="give it a padded batch, which costs at least as much, or one sequence at a time",
        )


def tensors_among(args: Sequence[object], keywords: Mapping[str, object] | None = None) -> tuple[torch.Tensor, ...]:
    """The tensors among a call's arguments or results, in order."""
    found: list[torch.Tensor] = []
    _collect((*args, *keywords.values()) if keywords else args, found)
    return tuple(found)


def _collect(values: Sequence[object], found: list[torch.Tensor]) -> None:
    for value in values:
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, (tuple, list)):
            _collect(value, found)


class Step(NamedTuple):
    """A typed op on its operands. Without `outputs` it yields the call's own results."""

    op: Op
    operands: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...] | None = None


class Signature:
    """What never changes about an operator: its name, the order and defaults of its parameters.

    `name` is the packet's (`aten.add`), without the underscore of the in-place form.
    """

    __slots__ = ("defaults", "function", "mutates", "name", "positions")

    def __init__(self, function: OpOverload) -> None:
        schema = function._schema
        namespace, _, name = schema.name.partition("::")
        self.function = function
        self.mutates: bool = schema.is_mutable
        in_place = self.mutates and name.endswith("_") and not name.endswith("__")
        self.name = f"{namespace}.{name[:-1] if in_place else name}"
        self.positions = {argument.name: index for index, argument in enumerate(schema.arguments)}
        self.defaults = {
            argument.name: argument.default_value for argument in schema.arguments if argument.has_default_value()
        }

    @property
    def word(self) -> str:
        """The bare function name, for layer names: `add`, `scaled_dot_product_attention`."""
        return self.name.partition(".")[2].lstrip("_")


class GraphValues(Protocol):
    """Which graph values live things of torch are."""

    def of(self, tensor: torch.Tensor) -> Tensor: ...
    def packed(self, box: object) -> tuple[Tensor, ...]: ...


class Call:
    """One execution of an operator.

    `operands` are its tensor arguments in order, `results` the shapes of its tensor outputs.
    """

    __slots__ = ("_arguments", "_keywords", "_values", "operands", "results", "signature")

    def __init__(
        self,
        signature: Signature,
        arguments: Sequence[object],
        keywords: Mapping[str, object],
        operands: tuple[Tensor, ...],
        results: tuple[Shape, ...],
        values: GraphValues,
    ) -> None:
        self.signature = signature
        self.operands = operands
        self.results = results
        self._arguments = arguments
        self._keywords = keywords
        self._values = values

    def argument(self, name: str) -> object:
        """An argument by its schema name, given or default; None where this overload has no such parameter."""
        position = self.signature.positions.get(name)
        if position is None:
            return None
        if position < len(self._arguments):
            return self._arguments[position]
        return self._keywords.get(name, self.signature.defaults.get(name))

    def tensor(self, name: str) -> Tensor:
        """A required tensor; raises `LookupError` when it is not one."""
        value = self.optional(name)
        if value is None:
            raise LookupError(f"{self.signature.name} has no tensor '{name}'")
        return value

    def optional(self, name: str) -> Tensor | None:
        value = self.argument(name)
        return self._values.of(value) if isinstance(value, torch.Tensor) else None

    def tensors(self, *names: str) -> tuple[Tensor, ...]:
        """The tensors among these arguments, lists of tensors taken apart, absent ones left out."""
        found: list[Tensor] = []
        for name in names:
            value = self.argument(name)
            items = value if isinstance(value, (list, tuple)) else (value,)
            found.extend(self._values.of(item) for item in items if isinstance(item, torch.Tensor))
        return tuple(found)

    def packed(self, name: str) -> tuple[Tensor, ...]:
        """The stored tensors inside one box of weights, or a list of boxes; raises `TypeError` for anything else."""
        value = self.argument(name)
        boxes = value if isinstance(value, (list, tuple)) else (value,)
        return tuple(tensor for box in boxes for tensor in self._values.packed(box))

    def boxed(self) -> tuple[Tensor, ...]:
        """Every stored tensor that lies in a box among the arguments."""
        return tuple(
            tensor for name in self.signature.positions if self._is_boxed(name) for tensor in self.packed(name)
        )

    def _is_boxed(self, name: str) -> bool:
        value = self.argument(name)
        items = value if isinstance(value, (list, tuple)) else (value,)
        return bool(items) and all(isinstance(item, torch.ScriptObject) for item in items)

    def integers(self, name: str, axes: int | None = None) -> tuple[int, ...]:
        """A list of integers, a lone one spread over `axes`; empty for None."""
        value = self.argument(name)
        items = tuple(int(item) for item in value) if isinstance(value, (list, tuple)) else self._single(value)
        return items * axes if axes is not None and len(items) == 1 else items

    @staticmethod
    def _single(value: object) -> tuple[int, ...]:
        return (int(value),) if isinstance(value, int) else ()

    def integer(self, name: str) -> int:
        """An integer; raises `LookupError` when it is not one."""
        value = self.argument(name)
        if not isinstance(value, (int, torch.SymInt)):
            raise LookupError(f"{self.signature.name} has no integer '{name}'")
        return int(value)

    def flag(self, name: str) -> bool:
        return bool(self.argument(name))

    def text(self, name: str) -> str:
        return str(self.argument(name))


Lowered = Step | tuple[Step, ...]
Lowering = Callable[[Call], Lowered]
