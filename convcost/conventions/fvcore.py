"""fvcore's FlopCountAnalysis: operators of a trace, by a table of twenty."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from convcost.conventions.rule import Call, Convention, Rule
from convcost.graph import Role, Tensor
from convcost.graph.ops import (
    AdaptivePool,
    Conv,
    ConvTranspose,
    DeformConv,
    Einsum,
    Linear,
    MatMul,
    Normalize,
    Recurrent,
    Resample,
)

_TWO_FACTORS = 2
_FUNCTIONAL = "torch.nn.functional."
_PER_OUTPUT = {("nearest", 2): 1, ("linear", 2): 4}
_CONV = Rule(
    ops=(Conv, ConvTranspose),
    products=True,
    adds=lambda call: 2 * call.macs if call.real_products > 1 else 0,
    why="convolutions of complex numbers, made of three of real ones",
)
_CELL = Rule(ops=(Recurrent,), products=True)
_LINEAR = Rule(ops=(Linear, MatMul), products=True)


def _by_first_factor(call: Call) -> int:
    if isinstance(call.op, Linear):
        return 0
    first, second = (operand.shape for operand in call.layer.node.operands[:2])
    return math.prod(first) * second[-1] - call.macs


_MATMUL = Rule(
    ops=(Linear, MatMul),
    products=True,
    adds=_by_first_factor,
    why="products broadcast over batches of the second factor",
    exact=lambda call: len(call.layer.node.operands[1].shape) >= _TWO_FACTORS,
)


def affine(call: Call) -> bool:
    """Whether a normalisation scales by learnable parameters."""
    return any(weight.role is Role.PARAMETER for weight in call.layer.node.weights)


def _is_scaled(call: Call) -> bool:
    """Whether a normalisation is given factors, learnable or computed; running statistics are none."""
    if (named := _named(call)) is not None:
        return "weight" in named
    given = call.layer.node.operands[1:]
    if len(given) != _TWO_FACTORS or not isinstance(call.op, Normalize) or call.op.method not in ("batch", "instance"):
        return bool(given)
    return not _are_buffers(given) and (call.op.method == "instance" or _in_training(call))


def _named(call: Call) -> frozenset[str] | None:
    """The tensors that a normalising function of Python was given by name, as its factors always are."""
    return call.caller.named if call.caller.function.startswith(_FUNCTIONAL) else None


def _factors_known(call: Call) -> bool:
    """Whether factors can be told from summands: a lone tensor may be either."""
    return _named(call) is not None or len(call.layer.node.operands) % 2 == 1


def _are_buffers(tensors: Sequence[Tensor]) -> bool:
    return all(tensor.weight is not None and tensor.weight.role is Role.BUFFER for tensor in tensors)


def _in_training(call: Call) -> bool:
    """Whether a batch is normalised by its own statistics, which the function's first flag says."""
    return next((item for item in call.caller.plain if isinstance(item, bool)), False)


def _norm(name: str, scaled: int, plain: int) -> Rule:
    return Rule(
        ops=(Normalize,),
        adds=lambda call: call.in_elements * (scaled if _is_scaled(call) else plain),
        why=f"{name}, {scaled} per element ({plain} without scale)",
        exact=_factors_known,
    )


_RULES: dict[str, Rule] = {
    **{f"aten.{name}": _CONV for name in ("conv1d", "conv2d", "conv3d", "convolution", "_convolution")},
    **{f"aten.conv_transpose{axes}d": _CONV for axes in (1, 2, 3)},
    **dict.fromkeys(("aten.linear", "aten.addmm", "aten.bmm", "aten.mm"), _LINEAR),
    "aten.matmul": _MATMUL,
    "aten.einsum": Rule(
        ops=(Einsum,),
        products=True,
        why="Einstein sums, which it rounds",
        exact=lambda call: isinstance(call.op, Einsum) and _plain_einsum(call.op.equation),
    ),
    **{f"aten.{cell}_cell": _CELL for cell in ("lstm", "gru", "rnn_tanh", "rnn_relu")},
    "aten.batch_norm": _norm("BatchNorm", 2, 1),
    "aten.layer_norm": _norm("LayerNorm", 5, 4),
    "aten.group_norm": _norm("GroupNorm", 5, 4),
    "aten.instance_norm": _norm("InstanceNorm", 5, 4),
    "aten.adaptive_avg_pool2d": Rule(
        ops=(AdaptivePool,), adds=lambda call: call.in_elements, why="adaptive average pooling, 1 per input element"
    ),
    "aten.interpolate": Rule(
        ops=(Resample,), adds=lambda call: _PER_OUTPUT.get(_way(call), 0) * call.out_elements, why="interpolation"
    ),
    "aten.upsample_nearest2d": Rule(
        ops=(Resample,), adds=lambda call: call.out_elements, why="nearest interpolation, 1 per output element"
    ),
    "aten.upsample_bilinear2d": Rule(
        ops=(Resample,), adds=lambda call: 4 * call.out_elements, why="bilinear interpolation, 4 per output element"
    ),
    "aten.grid_sampler": Rule(
        ops=(Resample,), adds=lambda call: 4 * call.out_elements, why="sampling on a grid, 4 per output element"
    ),
}
_BATCH_NORM_IN_TRAINING = replace(
    _norm("BatchNorm in training", 5, 4),
    # Two buffers may be running statistics or, more rarely, factors.
    exact=lambda call: (
        _named(call) is not None
        or (_factors_known(call) and not _are_buffers(call.layer.node.operands[1 : 1 + _TWO_FACTORS]))
    ),
)
_TRACED_WHOLE = frozenset({"torch", "torch.Tensor", "torch.functional", "torch.linalg"})


def _way(call: Call) -> tuple[str, int]:
    """How a resize is done, which networks of other frameworks say in their op alone."""
    return (call.op.interpolation, len(call.op.output_size)) if isinstance(call.op, Resample) else ("", 0)


def _plain_einsum(equation: str) -> bool:
    """The two forms for which it has a formula of its own."""
    letters = {letter: chr(97 + place) for place, letter in enumerate(dict.fromkeys(filter(str.isalpha, equation)))}
    return "".join(letters.get(letter, letter) for letter in equation if letter != " ") in (
        "abc,abd->acd",
        "abc,adc->adb",
    )


def _rules_of(call: Call) -> tuple[Rule, ...]:
    origin = call.layer.node.origin
    place, _, word = call.caller.function.rpartition(".")
    operator = origin.operator if origin is not None and origin.operator.startswith("aten.") else ""
    if not operator or place in _TRACED_WHOLE:
        # The trace holds the function that was called, not what it is made of.
        operator = f"aten.{word.strip('_')}"
    texts = [item for item in call.caller.plain if isinstance(item, str)]
    if isinstance(call.op, DeformConv) or (isinstance(call.op, Conv) and texts):
        return ()  # padding given as a word makes another operator, which the table lacks
    if operator == "aten.batch_norm" and _in_training(call):
        return (_BATCH_NORM_IN_TRAINING,)
    rule = _RULES.get(operator)
    return (rule,) if rule is not None else ()


FVCORE = Convention(
    name="fvcore",
    read_from="fvcore 0.1.5.post20221221",
    summary="one for each product of a convolution, linear layer or matrix product, and beside them normalisation, "
    "adaptive average pooling and interpolation; fused attention, recurrent layers and unused results are not seen",
    rules_of=_rules_of,
    prunes=True,
)
