"""Torch's rules of autocast: which operators it casts for a kind of device, and to what."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from torch._ops import OpOverload

from convcost.sources.torch.call import Signature
from convcost.sources.torch.lowering.table import aten

Policy: TypeAlias = Literal["lower", "single", "single result", "widest"]

# Which operators autocast touches, torch can be asked; not what it does to them. These it runs in the lower type:
_LOWERED = frozenset(
    aten(
        "_convolution conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d convolution "
        "cudnn_convolution cudnn_convolution_transpose _mps_convolution linear matmul mm bmm mv addmm addmv addr "
        "addbmm baddbmm _addmm_activation einsum chain_matmul linalg_multi_dot linalg_vecdot prelu lstm_cell gru_cell "
        "rnn_tanh_cell rnn_relu_cell _thnn_fused_lstm_cell _thnn_fused_gru_cell mkldnn_rnn_layer "
        "scaled_dot_product_attention _scaled_dot_product_flash_attention _native_multi_head_attention"
    )
)
# These in the widest of their operands' types, and all others in single precision.
_WIDEST = frozenset(
    aten(
        "addcdiv addcmul atan2 bilinear cat cross dot grid_sampler index_copy index_put scatter_add stack tensordot "
        "vdot"
    )
)
# Torch has no rule for these, but their kernels multiply in the lower type, and give it. A GRU's does so on a GPU.
_LOWERED_WITHIN = frozenset(aten("affine_grid_generator gru lstm rnn_relu rnn_tanh"))
# Overloads that torch composes of the one without a name, which has the rule.
_COMPOSED_OF_DEFAULT = ("padding", "vec")
# What is left of an operator where torch takes it apart before any mode sees it, because gradients may be recorded.
_ASKED_AS = {
    "aten._cdist_forward": "aten::cdist",
    "aten._fused_rms_norm": "aten::rms_norm",
    "aten._log_softmax": "aten::log_softmax.int",
    "aten._softmax": "aten::softmax.int",
    "aten.convolution": "aten::conv2d",
    "aten.native_group_norm": "aten::group_norm",
    "aten.nll_loss2d_forward": "aten::nll_loss2d",
    "aten.nll_loss_forward": "aten::nll_loss",
}


def policy_of(function: OpOverload, device: str) -> Policy | None:
    """None where the operator gets what it is given; what it is composed of may still be cast."""
    signature = Signature(function)
    if signature.name in _LOWERED_WITHIN:
        return None if (signature.name, device) == ("aten.gru", "cpu") else "lower"
    if not any(_has_rule(name, device) for name in _names(signature)):
        return None
    if signature.name in _LOWERED:
        return "lower"
    if signature.name in _WIDEST:
        return "widest"
    # A GPU's kernels read the lower type and give single precision.
    return "single result" if "dtype" in signature.positions and device != "cpu" else "single"


def is_lstm_of_cells(function: OpOverload, args: tuple[object, ...]) -> bool:
    """Whether no kernel of the CPU does this LSTM in one go: its sequences are packed, or its state is projected.

    Its parts are cast, and its cells keep the type of the state that they were given.
    """
    if function is not torch.ops.aten.lstm.input:
        return function is torch.ops.aten.lstm.data
    states = next(item for item in args if isinstance(item, (list, tuple)))
    return bool(states[0].shape[-1] != states[1].shape[-1])


def _names(signature: Signature) -> tuple[str, ...]:
    """What torch may know the operator by."""
    if signature.name in _ASKED_AS:
        return (_ASKED_AS[signature.name],)
    schema = signature.function._schema
    name = f"{schema.name}.{schema.overload_name}".removesuffix(".")
    return (schema.name, name) if schema.overload_name in _COMPOSED_OF_DEFAULT else (name,)


def _has_rule(name: str, device: str) -> bool:
    return torch._C._dispatch_has_kernel_for_dispatch_key(name, f"Autocast{device.upper()}")
