"""Normalisation and softmax."""

from __future__ import annotations

from convcost.graph.ops import Elementwise, Normalize, NormMethod, Softmax
from convcost.sources.torch.call import Call, Step
from convcost.sources.torch.lowering.table import lowers

_METHODS: dict[str, NormMethod] = {
    "aten.batch_norm": "batch",
    "aten.native_batch_norm": "batch",
    "aten._native_batch_norm_legit": "batch",
    "aten._native_batch_norm_legit_no_training": "batch",
    "aten._batch_norm_no_update": "batch",
    "aten._batch_norm_with_update": "batch",
    "aten.cudnn_batch_norm": "batch",
    "aten.miopen_batch_norm": "batch",
    "aten.layer_norm": "layer",
    "aten.native_layer_norm": "layer",
    "aten.group_norm": "group",
    "aten.native_group_norm": "group",
    "aten.instance_norm": "instance",
    "aten.rms_norm": "rms",
    "aten._fused_rms_norm": "rms",
}


@lowers(*_METHODS)
def _normalize(call: Call) -> Step:
    epsilon = call.argument("eps")
    return Step(
        Normalize(
            method=_METHODS[call.signature.name],
            epsilon=float(epsilon) if isinstance(epsilon, int | float) else None,
        ),
        call.operands,
    )


@lowers(
    "aten.softmax",
    "aten._softmax",
    "aten.log_softmax",
    "aten._log_softmax",
    "aten._safe_softmax",
    "aten._masked_softmax",
    "aten.special_softmax",
    "aten.special_log_softmax",
)
def _softmax(call: Call) -> Step:
    return Step(Softmax(), call.operands[:1])


@lowers("aten._weight_norm_interface", "aten._weight_norm")
def _weight_norm(call: Call) -> Step:
    """`g * v / |v|`: square and sum for the norm, one scale."""
    return Step(Elementwise(function="weight_norm", operations=3), call.operands[:2])
