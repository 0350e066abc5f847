"""Data seen differently or put elsewhere."""

from __future__ import annotations

from math import prod

from convcost.errors import ShapeError
from convcost.graph.ops import Gather, Move, Op, Reduce
from convcost.sources.onnx.lowering.call import Call, Lowered, NotCountedError
from convcost.sources.onnx.lowering.registry import lowers

_VIEWS: dict[str, str] = {
    "Dropout": "dropout",
    "Flatten": "reshape",
    "Identity": "identity",
    "Reshape": "reshape",
    "Squeeze": "squeeze",
    "Unsqueeze": "unsqueeze",
}

_COPIES: dict[str, str] = {
    "BitCast": "cast",
    "Cast": "cast",
    "CastLike": "cast",
    "CenterCropPad": "pad",
    "Compress": "compress",
    "Concat": "concat",
    "DepthToSpace": "depth_to_space",
    "Expand": "expand",
    "GatherElements": "gather",
    "GatherND": "gather",
    "MaxUnpool": "max_unpool",
    "Pad": "pad",
    "ReverseSequence": "reverse",
    "Slice": "slice",
    "SpaceToDepth": "space_to_depth",
    "Split": "split",
    "TensorScatter": "scatter",
    "Tile": "tile",
    "Transpose": "transpose",
    "Trilu": "trilu",
}

_FILLS: dict[str, str] = {
    "ConstantOfShape": "fill",
    "EyeLike": "fill",
    "Shape": "shape",
    "Size": "shape",
}

_SCATTERS = ("Scatter", "ScatterElements", "ScatterND")


@lowers(*_VIEWS)
def lower_view(call: Call) -> Lowered:
    """The first operand's memory; a shape or axes beside it are not read as data, nor is a dropout's mask made."""
    data, result = call.operand(0), call.result()
    if prod(data.shape) != prod(result):
        # Exporters write sizes into the file that hold for one input only; onnx infers on without a look at them.
        raise ShapeError(
            f"{list(data.shape)} cannot be seen as {list(result)}",
            hint="the file may be made for one input size: leave out --input, or export it with dynamic axes",
        )
    op = Move(action=_VIEWS[call.operator], shapes=(result,), view=True)
    return Lowered(op=op, operands=(data,), view_of=data)


@lowers(*_COPIES)
def lower_copy(call: Call) -> Lowered:
    data = call.operands if call.operator in ("Concat", "GatherElements", "GatherND", "TensorScatter") else None
    if data is None:
        data = call.picked(0, 1) if call.operator in ("Compress", "MaxUnpool") else (call.operand(0),)
    return Lowered(op=Move(action=_COPIES[call.operator], shapes=call.shapes()), operands=data)


@lowers(*_FILLS)
def lower_fill(call: Call) -> Lowered:
    """Writes what follows from a shape; a tensor that only lends its shape is not read."""
    return Lowered(op=Move(action=_FILLS[call.operator], shapes=call.shapes()), operands=())


@lowers("OneHot")
def lower_one_hot(call: Call) -> Lowered:
    indices, depth = call.operand(0), call.number(1)
    if depth is None or depth < 1:
        raise NotCountedError("the depth of its output is known only when it runs")
    axis = call.attributes.integer("axis", -1) % (len(indices.shape) + 1)
    shape = (*indices.shape[:axis], int(depth), *indices.shape[axis:])
    return Lowered(op=Move(action="one_hot", shapes=(shape,)), operands=call.operands)


@lowers("Gather")
def lower_gather(call: Call) -> Op:
    return Gather(axis=call.attributes.integer("axis", 0))


@lowers(*_SCATTERS)
def lower_scatter(call: Call) -> Lowered:
    reduction = call.attributes.text("reduction", "none")
    if reduction == "none":
        return Lowered(op=Move(action="scatter", shapes=call.shapes()), operands=call.operands)
    call.result()
    # One addition (product, maximum …) per update, so the updates are what the reduction goes over.
    return Lowered(op=Reduce(function=f"scatter_{reduction}"), operands=call.picked(2, 1, 0))
