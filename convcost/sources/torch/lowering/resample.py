"""Interpolation, and sampling at given points."""

from __future__ import annotations

from convcost.graph.ops import Interpolation, Resample
from convcost.sources.torch.call import Call, Step
from convcost.sources.torch.lowering.table import lowers

_UPSAMPLES: dict[str, Interpolation] = {
    **{
        f"aten.{form}upsample_nearest{exact}{axes}d": "nearest"
        for axes in (1, 2, 3)
        for form, exact in (("", ""), ("_", "_exact"))
    },
    "aten.upsample_linear1d": "linear",
    "aten.upsample_bilinear2d": "linear",
    "aten._upsample_bilinear2d_aa": "linear",
    "aten.upsample_trilinear3d": "linear",
    "aten.upsample_bicubic2d": "cubic",
    "aten._upsample_bicubic2d_aa": "cubic",
}
_GRID_MODES: tuple[Interpolation, ...] = ("linear", "nearest", "cubic")


@lowers(*_UPSAMPLES)
def _upsample(call: Call) -> Step:
    op = Resample(interpolation=_UPSAMPLES[call.signature.name], output_size=call.results[0][2:])
    return Step(op, call.operands[:1])


@lowers("aten.grid_sampler", "aten.grid_sampler_2d", "aten.grid_sampler_3d", "aten.cudnn_grid_sampler")
def _grid_sample(call: Call) -> Step:
    mode = call.argument("interpolation_mode")
    interpolation = _GRID_MODES[mode] if isinstance(mode, int) else "linear"
    return Step(Resample(interpolation=interpolation, output_size=call.results[0][2:]), call.operands)
