"""A target read at one size after another: `batch=1,2,4,8`, `resolution=128..512:32`, or any symbolic dimension."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from convcost.analysis.sweep import Sweep, SweepPoint
from convcost.dataclasses import dataclass
from convcost.errors import ConvcostError, SourceError, UsageError
from convcost.graph import Shape, Tensor
from convcost.ranges import SizeList
from convcost.sources import PACKED_ONNX, source_of
from convcost.sources.request import InputSpec, Request, is_saved
from convcost.targets.analyze import analysis_of

BATCH, RESOLUTION = "batch", "resolution"
_MOST_VALUES = 256
_EXAMPLE = "write --sweep batch=1,2,4,8 or --sweep resolution=128..512:32"
_NAMELESS = re.compile(r"input_\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """What to change, and the sizes to give it."""

    name: str
    values: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> Axis:
        """Reads `NAME=1,2,4,8` or `NAME=FIRST..LAST:STEP` (`:*FACTOR`); each value once. Raises `UsageError`.

        >>> Axis.of("resolution=128..224:32,300").values
        (128, 160, 192, 224, 300)
        """
        name, equals, listed = text.rpartition("=")
        if not equals or not name.strip():
            raise UsageError(f"--sweep '{text}' is not NAME=VALUES", hint=_EXAMPLE)
        sizes = SizeList(text=f"--sweep '{text}'", example=_EXAMPLE, most=_MOST_VALUES)
        return cls(name=name.strip(), values=sizes.read(listed))


def sweep(request: Request, axis: Axis, *, backward: bool = False) -> Sweep:
    """The target at every value of the axis; the first value at which it cannot be read ends it.

    `batch` is the first axis of every input, `resolution` the last two of every input of four dimensions; in an
    ONNX file that leaves these axes open, they and every other name stand for its symbolic dimensions. Raises
    `UsageError` for an axis the target has not.
    """
    if is_saved(request.target):
        raise UsageError(f"{request.target} is a saved report: its inputs are what they were", hint="name the model")
    if axis.name in request.dims:
        raise UsageError(f"--dim and --sweep both give '{axis.name}' a size", hint="leave --dim out")
    resized = _resizing(request, axis.name)
    return Sweep(name=axis.name, points=tuple(_point(resized, axis.name, value, backward) for value in axis.values))


def _point(resized: Callable[[int], Request], name: str, value: int, backward: bool) -> SweepPoint:
    try:
        return SweepPoint(value=value, analysis=analysis_of(resized(value), backward=backward))
    except ConvcostError as error:
        raise SourceError(f"at {name} {value}: {error.message}", hint=error.hint) from error


def _resizing(request: Request, name: str) -> Callable[[int], Request]:
    if dims := _dims_swept(request, name):
        return lambda size: replace(request, dims={**request.dims, **dict.fromkeys(dims, size)})
    # The sizes given with --dim are in the inputs' shapes by now.
    settled = replace(request, inputs=_inputs(request), dims={})
    resize = _batch if name == BATCH else _resolution
    _check_resizable(settled, name)
    return lambda size: replace(
        settled, inputs=tuple(replace(spec, shape=resize(spec.shape, size)) for spec in settled.inputs)
    )


def _dims_swept(request: Request, name: str) -> tuple[str, ...]:
    """The symbolic dimensions to set; none where sizes are written into the inputs' shapes instead."""
    if request.target.startswith("git:"):
        return () if name in (BATCH, RESOLUTION) else (name,)
    if source_of(request.target).name not in ("onnx", PACKED_ONNX):
        if name in (BATCH, RESOLUTION):
            return ()
        raise UsageError(
            f"'{request.target}' has no symbolic dimension '{name}' to sweep", hint=f"sweep {BATCH} or {RESOLUTION}"
        )
    from convcost.sources.onnx import declared_shapes

    shapes = tuple(declared_shapes(request.target).values())
    symbols = sorted({size for shape in shapes for size in shape if isinstance(size, str)})
    if name in symbols:
        return (name,)
    if name not in (BATCH, RESOLUTION):
        raise UsageError(
            f"{request.target}: no input has a dimension named '{name}'",
            hint=f"sweep {', '.join([*symbols, BATCH, RESOLUTION])}",
        )
    return () if request.inputs else _open_axes(shapes, name)


def _open_axes(shapes: Sequence[Sequence[int | str | None]], name: str) -> tuple[str, ...]:
    """The names of the axes in question, if every one of them has a name."""
    if name == BATCH:
        swept = {shape[0] for shape in shapes if shape}
    else:
        swept = {size for shape in shapes if len(shape) == 4 for size in shape[-2:]}
    names = sorted(size for size in swept if isinstance(size, str))
    return tuple(names) if len(names) == len(swept) else ()


def _batch(shape: Shape, size: int) -> Shape:
    return (size, *shape[1:]) if shape else shape


def _resolution(shape: Shape, size: int) -> Shape:
    return (*shape[:-2], size, size) if len(shape) == 4 else shape


def _check_resizable(request: Request, name: str) -> None:
    shapes = [spec.shape for spec in request.inputs]
    if name == RESOLUTION and not any(len(shape) == 4 for shape in shapes):
        raise UsageError(f"'{request.target}' has no input of four dimensions", hint="give it --input 1x3x224x224")
    first = sorted({shape[0] for shape in shapes if shape})
    if name == BATCH and len(first) != 1:
        sizes = " and ".join(map(str, first)) or "none"
        raise UsageError(
            f"'{request.target}' has no common first axis to sweep as its batch: {sizes}",
            hint="give every input the batch first: --input NAME=1x…",
        )


def _inputs(request: Request) -> tuple[InputSpec, ...]:
    """The inputs the target is read at without a sweep, so that only one axis of them changes."""
    found = analysis_of(request)
    if found.source != "torch":
        return tuple(InputSpec(name=each.name, shape=each.shape, dtype=each.dtype) for each in found.inputs)
    return request.inputs or tuple(_argument(each, request.target) for each in found.inputs)


def _argument(tensor: Tensor, target: str) -> InputSpec:
    """An input of a module by the name of its parameter; by its place where `forward` does not name it."""
    if "." in tensor.name:
        raise UsageError(
            f"'{target}' takes its input '{tensor.name}' inside a list or dict, which --input cannot say",
            hint="sweep it from Python: convcost.analyze(module, inputs=…) at each size",
        )
    name = None if _NAMELESS.fullmatch(tensor.name) else tensor.name
    return InputSpec(name=name, shape=tensor.shape, dtype=tensor.dtype)
