"""Operators of torchvision's own library."""

from __future__ import annotations

from convcost.graph.ops import DeformConv, Resample
from convcost.sources.torch.call import Call, Step
from convcost.sources.torch.lowering.table import lowers


@lowers("torchvision.deform_conv2d")
def _deform_conv(call: Call) -> Step:
    data, weight, offset = call.tensor("input"), call.tensor("weight"), call.tensor("offset")
    masked = call.flag("use_mask")
    groups = call.integer("groups")
    pads = [call.integer(f"pad_{axis}") for axis in "hw"]
    op = DeformConv(
        in_channels=weight.shape[1] * groups,
        out_channels=weight.shape[0],
        kernel=weight.shape[2:],
        stride=(call.integer("stride_h"), call.integer("stride_w")),
        pads=tuple((pad, pad) for pad in pads),
        dilation=(call.integer("dilation_h"), call.integer("dilation_w")),
        groups=groups,
        masked=masked,
    )
    return Step(op, (data, weight, offset, *(call.tensors("mask") if masked else ()), *call.tensors("bias")))


@lowers("torchvision.roi_align", "torchvision.ps_roi_align")
def _roi_align(call: Call) -> Step:
    """One bilinear sample per output element and sampling point, at least one."""
    return Step(Resample(interpolation="linear", output_size=call.results[0][2:]), call.operands)
