"""Interpolation to a size, by scales, or at a grid's points."""

from __future__ import annotations

from convcost.graph import Shape
from convcost.graph.ops import Interpolation, Resample
from convcost.sources.onnx.lowering.call import Call, Lowered, NotCountedError
from convcost.sources.onnx.lowering.registry import lowers

_MODES: dict[str, Interpolation] = {
    "bicubic": "cubic",
    "bilinear": "linear",
    "cubic": "cubic",
    "linear": "linear",
    "nearest": "nearest",
}


@lowers("Resize", "Upsample")
def lower_resize(call: Call) -> Lowered:
    data = call.operand(0)
    op = Resample(
        interpolation=_interpolation(call.attributes.text("mode", "nearest")),
        output_size=_interpolated_sizes(data.shape, call.result()),
    )
    return Lowered(op=op, operands=(data,))


def _interpolated_sizes(before: Shape, after: Shape) -> Shape:
    """The axes interpolated over: all but batch and channels as a rule, else (channels last) those that change."""
    if before[:2] == after[:2]:
        return after[2:]
    return tuple(new for old, new in zip(before, after, strict=True) if old != new)


@lowers("GridSample")
def lower_grid_sample(call: Call) -> Lowered:
    op = Resample(interpolation=_interpolation(call.attributes.text("mode", "linear")), output_size=call.result()[2:])
    return Lowered(op=op, operands=call.picked(0, 1))


def _interpolation(mode: str) -> Interpolation:
    found = _MODES.get(mode)
    if found is None:
        raise NotCountedError(f"'{mode}' is no interpolation ONNX defines")
    return found
