"""What object detectors add: regions pooled from feature maps."""

from __future__ import annotations

from convcost.graph.ops import Elementwise
from convcost.sources.onnx.lowering.call import Call, Lowered, NotCountedError
from convcost.sources.onnx.lowering.registry import lowers

_BILINEAR_OPS = 7  # four products and three sums


@lowers("RoiAlign")
def lower_roi_align(call: Call) -> Lowered:
    """Every output element averages `sampling_ratio` squared bilinear samples."""
    ratio = call.attributes.integer("sampling_ratio", 0)
    if ratio < 1:
        raise NotCountedError("with sampling_ratio 0, how many points it samples depends on the size of each region")
    call.result()
    op = Elementwise(function="roi_align", operations=ratio * ratio * (_BILINEAR_OPS + 1))
    return Lowered(op=op, operands=call.operands)
