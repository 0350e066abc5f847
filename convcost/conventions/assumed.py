"""For networks without modules: the module of PyTorch that an operator would be."""

from __future__ import annotations

from collections.abc import Iterator

from convcost.analysis import Layer
from convcost.graph import Node, Role, Shape
from convcost.graph.caller import Caller
from convcost.graph.ops import (
    Activation,
    AdaptivePool,
    Attention,
    Conv,
    ConvTranspose,
    Einsum,
    Linear,
    MatMul,
    Normalize,
    Op,
    Pool,
    Recurrent,
    Resample,
    Softmax,
)

_F = "torch.nn.functional."
# The module and the function it calls, by op and by the word that tells ops of one kind apart; {} is how many axes.
_MODULES: dict[tuple[type[Op], str], tuple[str, str]] = {
    (Conv, ""): ("nn.Conv{}d", f"{_F}conv{{}}d"),
    (ConvTranspose, ""): ("nn.ConvTranspose{}d", f"{_F}conv_transpose{{}}d"),
    (Linear, ""): ("nn.Linear", f"{_F}linear"),
    (MatMul, ""): ("", "torch.matmul"),
    (Einsum, ""): ("", "torch.functional.einsum"),
    (Attention, ""): ("", f"{_F}scaled_dot_product_attention"),
    (Softmax, ""): ("nn.Softmax", f"{_F}softmax"),
    (Normalize, "batch"): ("nn.BatchNorm{}d", f"{_F}batch_norm"),
    (Normalize, "instance"): ("nn.InstanceNorm{}d", f"{_F}instance_norm"),
    (Normalize, "layer"): ("nn.LayerNorm", f"{_F}layer_norm"),
    (Normalize, "group"): ("nn.GroupNorm", f"{_F}group_norm"),
    (Activation, "relu"): ("nn.ReLU", f"{_F}relu"),
    (Activation, "relu6"): ("nn.ReLU6", f"{_F}hardtanh"),
    (Activation, "leaky_relu"): ("nn.LeakyReLU", f"{_F}leaky_relu"),
    (Activation, "prelu"): ("nn.PReLU", f"{_F}prelu"),
    (Activation, "elu"): ("nn.ELU", f"{_F}elu"),
    (Activation, "gelu"): ("nn.GELU", f"{_F}gelu"),
    (Activation, "silu"): ("nn.SiLU", f"{_F}silu"),
    (Pool, "avg"): ("nn.AvgPool{}d", f"{_F}avg_pool{{}}d"),
    (Pool, "max"): ("nn.MaxPool{}d", f"{_F}max_pool{{}}d"),
    (AdaptivePool, "avg"): ("nn.AdaptiveAvgPool{}d", f"{_F}adaptive_avg_pool{{}}d"),
    (AdaptivePool, "max"): ("nn.AdaptiveMaxPool{}d", f"{_F}adaptive_max_pool{{}}d"),
    **{(Resample, word): ("nn.Upsample", f"{_F}interpolate") for word in ("nearest", "linear", "cubic")},
    (Recurrent, "rnn"): ("nn.RNN", "torch.rnn_tanh"),
    (Recurrent, "gru"): ("nn.GRU", "torch.gru"),
    (Recurrent, "lstm"): ("nn.LSTM", "torch.lstm"),
}
_MATRIX_AXES = 2


def assumed_caller(layer: Layer) -> Caller:
    """A leaf module for what modules do, a function for what networks call; nothing for the rest."""
    node = layer.node
    shape = node.operands[0].shape if node.operands else ()
    key = (type(node.op), _word(node.op))
    if key[0] is MatMul and any(len(weight.shape) == _MATRIX_AXES for weight in node.weights):
        key = (Linear, "")
    module, function = _MODULES.get(key, ("", ""))
    axes = max(len(shape) - 2, 1)
    return Caller(
        module=module.format(axes),
        is_leaf=bool(module),
        function=function.format(axes),
        input=shape,
        output=node.outputs[0].shape if node.outputs else None,
        parameters=tuple(_parameters(node)),
    )


def _parameters(node: Node) -> Iterator[tuple[str, Shape]]:
    """Under the names that modules give them, whatever the file calls them."""
    suffix = "_l0" if isinstance(node.op, Recurrent) else ""
    for place, weight in enumerate(weight for weight in node.weights if weight.role is Role.PARAMETER):
        yield ("bias" if place and len(weight.shape) == 1 else "weight") + suffix, weight.shape


def _word(op: Op) -> str:
    match op:
        case Normalize(method=word) | Pool(method=word) | AdaptivePool(method=word):
            return word
        case Activation(function=word) | Recurrent(cell=word) | Resample(interpolation=word):
            return word
        case _:
            return ""
