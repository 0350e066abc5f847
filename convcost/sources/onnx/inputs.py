"""The shapes a model is read at: what the file says, what the user asks for, and what is still open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from convcost.dataclasses import dataclass
from convcost.errors import SourceError
from convcost.sources.onnx.dtypes import DTYPES, NUMBERS
from convcost.sources.onnx.stated import forget_shapes
from convcost.sources.onnx.text import shown
from convcost.sources.request import InputSpec, Request

if TYPE_CHECKING:
    from onnx import GraphProto, TensorShapeProto, TypeProto, ValueInfoProto


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fixed:
    """A symbolic dimension that an `--input` gave a size."""

    size: int
    by: str


def settle_inputs(graph: GraphProto, request: Request) -> tuple[str, ...]:
    """Writes the requested shapes and dimensions into `graph`; returns what was assumed, as notes.

    An axis is open when it has neither a size nor a value from the request. A lone open axis that leads its
    inputs is the batch and becomes 1. Raises `SourceError` for unknown names, a wrong rank, and open axes.
    """
    inputs = _inputs(graph)
    named = [(value, axis, dim.dim_param) for value in inputs for axis, dim in enumerate(_axes(value)) if dim.dim_param]
    overridden = _apply_specs(inputs, request.inputs, request.target)
    if overridden:
        forget_shapes(graph)
    fixed = _fixed(named, request.target)
    values = [*inputs, *graph.output, *graph.value_info]
    _apply_dims(values, inputs, request, fixed)
    return _default_batch(inputs, values, request.target)


def _fixed(named: Iterable[tuple[ValueInfoProto, int, str]], target: str) -> dict[str, _Fixed]:
    """What the inputs that were given say of named dimensions, which inputs that were not given may have too."""
    given = [(name, _Fixed(size=size, by=value.name)) for value, axis, name in named if (size := _size(value, axis))]
    open_names = {name for value, axis, name in named if not _size(value, axis)}
    fixed: dict[str, _Fixed] = {}
    for name, each in given:
        before = fixed.setdefault(name, each)
        if before.size != each.size and name in open_names:
            raise SourceError(
                f"{target}: '{shown(name)}' is {before.size} by --input {shown(before.by)}, and {each.size} by "
                f"--input {shown(each.by)}",
                hint="give every input that has it a shape of its own",
            )
    return fixed


def _size(value: ValueInfoProto, axis: int) -> int:
    """Of one axis; 0 where it is open."""
    return int(_axes(value)[axis].dim_value)


def shapes_of(graph: GraphProto) -> dict[str, tuple[int | str | None, ...]]:
    """What the file says of every axis of its inputs: a size, a name, or nothing."""
    return {
        value.name: tuple(
            dim.dim_value if dim.HasField("dim_value") else dim.dim_param or None
            for dim in value.type.tensor_type.shape.dim
        )
        for value in _inputs(graph)
    }


def _inputs(graph: GraphProto) -> list[ValueInfoProto]:
    stored = {tensor.name for tensor in graph.initializer}
    return [value for value in graph.input if value.name not in stored and value.type.HasField("tensor_type")]


def _apply_specs(inputs: Sequence[ValueInfoProto], specs: Sequence[InputSpec], target: str) -> bool:
    by_name = {value.name: value for value in inputs}
    unnamed = iter([value for value in inputs if value.name not in {spec.name for spec in specs}])
    for spec in specs:
        value = next(unnamed, None) if spec.name is None else by_name.get(spec.name)
        if value is None:
            what = "more inputs were given than it has" if spec.name is None else f"it has no input '{spec.name}'"
            raise SourceError(f"{target}: {what}", hint=f"its inputs are: {_described(inputs)}")
        _apply_spec(value, spec, target)
    return bool(specs)


def _apply_spec(value: ValueInfoProto, spec: InputSpec, target: str) -> None:
    tensor = value.type.tensor_type
    if tensor.HasField("shape") and len(tensor.shape.dim) != len(spec.shape):
        shape = _shape_text(tensor.shape)
        raise SourceError(
            f"{target}: input '{shown(value.name)}' has {len(tensor.shape.dim)} dimensions ({shape}), "
            f"not {len(spec.shape)}",
            hint=f"--input {shown(value.name)}={shape}, with a size for every name",
        )
    del tensor.shape.dim[:]
    tensor.shape.SetInParent()
    for size in spec.shape:
        tensor.shape.dim.add().dim_value = size
    if spec.dtype is not None:
        tensor.elem_type = NUMBERS.get(spec.dtype, tensor.elem_type)


def _apply_dims(
    values: Iterable[ValueInfoProto], inputs: Sequence[ValueInfoProto], request: Request, fixed: Mapping[str, _Fixed]
) -> None:
    """Sets every dimension of `--dim`, and what an `--input` has fixed, which `--dim` may only give as it is there."""
    known = {*fixed, *(dim.dim_param for value in inputs for dim in _axes(value) if dim.dim_param)}
    for name, size in request.dims.items():
        if name in fixed and size != fixed[name].size:
            raise SourceError(
                f"{request.target}: '{shown(name)}' is {fixed[name].size} by --input {shown(fixed[name].by)}, "
                f"and {size} by --dim",
                hint="leave out one of the two",
            )
        if name not in known:
            have = ", ".join(map(shown, sorted(known))) or "none"
            raise SourceError(
                f"{request.target}: no input has a dimension named '{name}'", hint=f"its symbolic dimensions: {have}"
            )
    sizes = {name: each.size for name, each in fixed.items()} | dict(request.dims)
    if sizes:
        _substitute(values, sizes)


def _axes(value: ValueInfoProto) -> list[TensorShapeProto.Dimension]:
    return list(value.type.tensor_type.shape.dim)


def _substitute(values: Iterable[ValueInfoProto], sizes: Mapping[str, int]) -> None:
    for value in values:
        for dim in value.type.tensor_type.shape.dim if value.type.HasField("tensor_type") else ():
            if dim.dim_param in sizes:
                dim.dim_value = sizes[dim.dim_param]


def _default_batch(inputs: Sequence[ValueInfoProto], values: Iterable[ValueInfoProto], target: str) -> tuple[str, ...]:
    opened = [
        (value, axis, dim)
        for value in inputs
        for axis, dim in enumerate(value.type.tensor_type.shape.dim)
        if not dim.HasField("dim_value") or dim.dim_value < 0
    ]
    if not opened:
        return ()
    names = {dim.dim_param for _, _, dim in opened}
    if len(names) > 1 or any(axis != 0 for _, axis, _ in opened):
        raise _open_axes_error([value for value, _, _ in opened], sorted(names), target)
    name = names.pop()
    change = f"--dim {shown(name)}=N" if name else f"--input {_example(opened[0][0])}".replace("?", "N", 1)
    for _, _, dim in opened:
        dim.dim_value = 1
    if name:
        _substitute(values, {name: 1})
    of = ", ".join(f"'{shown(value.name)}'" for value, _, _ in opened)
    return (f"the open batch axis{f' {shown(name)!r}' if name else ''} of {of} is taken as 1; {change} changes it",)


def _open_axes_error(values: Sequence[ValueInfoProto], names: Sequence[str], target: str) -> SourceError:
    distinct = list({value.name: value for value in values}.values())
    flags = [f"--dim {shown(name)}=VALUE" for name in names if name]
    if "" in names:
        flags += [f"--input {_example(value)}" for value in distinct if _has_unnamed(value)]
    sizes = "its size" if len(flags) == 1 else "their sizes"
    return SourceError(
        f"{target}: the shape of {_described(distinct)} is not fixed, and costs depend on it",
        hint=f"give {sizes}: {' '.join(flags)}",
    )


def _has_unnamed(value: ValueInfoProto) -> bool:
    return any(not dim.dim_param and not dim.HasField("dim_value") for dim in value.type.tensor_type.shape.dim)


def _described(values: Iterable[ValueInfoProto]) -> str:
    return ", ".join(f"{shown(value.name)} ({_type_text(value.type)})" for value in values) or "none"


def _type_text(kind: TypeProto) -> str:
    dtype = DTYPES.get(kind.tensor_type.elem_type)
    return f"{_shape_text(kind.tensor_type.shape)} {dtype.value if dtype else 'of unknown type'}"


def _example(value: ValueInfoProto) -> str:
    return f"{shown(value.name)}={_shape_text(value.type.tensor_type.shape)}"


def _shape_text(shape: TensorShapeProto) -> str:
    sizes = (str(dim.dim_value) if dim.HasField("dim_value") else shown(dim.dim_param) or "?" for dim in shape.dim)
    return "x".join(sizes) or "scalar"
