"""ptflops with its default backend: hooks on modules, and functions of torch patched beside them; both count."""

from __future__ import annotations

import math

from convcost.conventions.fvcore import affine
from convcost.conventions.rule import Amount, Call, Convention, Rule, Rules
from convcost.graph.ops import (
    Activation,
    AdaptivePool,
    Attention,
    Conv,
    ConvTranspose,
    DeformConv,
    Elementwise,
    Linear,
    MatMul,
    Normalize,
    Op,
    Pool,
    Recurrent,
    Resample,
    Softmax,
)

_POOLS = (Pool, AdaptivePool)
_ATTENTION = "timm.layers.attention.Attention"


def _in(call: Call) -> int:
    return call.in_elements


def _out(call: Call) -> int:
    return call.out_elements


def _hook(*ops: type[Op], adds: Amount, why: str, products: bool = False) -> tuple[Rule, ...]:
    return (Rule(ops=ops, products=products, adds=adds, why=why, hooked=True),)


def _function(*ops: type[Op], adds: Amount, why: str, products: bool = False) -> tuple[Rule, ...]:
    return (Rule(ops=ops, products=products, adds=adds, why=why),)


def _power_pooled(call: Call) -> int:
    """An average over powers, then a ReLU and a product over what it gives; of an infinite power the largest alone."""
    averaged = isinstance(call.op, Pool) and call.op.method == "avg"
    return _in(call) + (2 * _out(call) if averaged else 0)


def _biased(call: Call) -> bool:
    match call.op:
        case DeformConv(masked=masked):
            return len(call.layer.node.operands) > 3 + masked
        case _:
            return len(call.layer.node.operands) > 2


def _bias(call: Call) -> int:
    return call.out_elements if _biased(call) else 0


def _convolution(call: Call) -> int:
    """Biases; without a batch axis it takes the channels for one, and one axis fewer for positions."""
    op, given = call.op, call.caller.input
    if not isinstance(op, (Conv, ConvTranspose)) or len(given) != len(op.kernel) + 1:
        return _bias(call)
    out = call.layer.node.outputs[0].shape[-len(given) :]
    positions = given if isinstance(op, ConvTranspose) else out
    per_position = math.prod(op.kernel) * op.in_channels * (op.out_channels // op.groups)
    biases = math.prod(out[1:]) if _biased(call) else 0
    return given[0] * (math.prod(positions[2:]) * per_position + biases) - call.macs


def _normalisation(call: Call) -> int:
    """Twice per element by an attribute called `affine`, which LayerNorm does not have."""
    return call.in_elements * (2 if affine(call) and call.caller.module != "nn.LayerNorm" else 1)


def _sampling(call: Call) -> int:
    op = call.op
    if not isinstance(op, DeformConv):
        return 0
    positions = call.out_elements // op.out_channels
    return positions * math.prod(op.kernel) * (25 if op.masked else 24) + _bias(call)


def _recurrent(call: Call) -> int:
    """Sums and products of gates and biases beside the products; none of a projection."""
    op = call.op
    if not isinstance(op, Recurrent):
        return 0
    gates, rest = {"rnn": (1, 1), "gru": (3, 7), "lstm": (4, 10)}[op.cell]
    per_step = rest * op.hidden_size + (2 * gates * op.hidden_size if op.biased else 0)
    times = call.caller.input[0] if call.caller.module.endswith("Cell") else math.prod(call.caller.input[:2])
    true = math.prod(call.input[:-1])
    products = call.macs // true - op.hidden_size * op.projection * op.layers * op.directions
    return (products + per_step * op.layers * op.directions) * times - call.macs


def _broadcast(call: Call) -> int:
    """The larger size of every axis, the axes aligned at the first."""
    first, *others = (operand.shape for operand in call.layer.node.operands)
    second = others[0] if others else ()
    longest = max(len(first), len(second))
    left, right = ((*shape, *(1 for _ in range(longest - len(shape)))) for shape in (first, second))
    return math.prod(map(max, left, right))


def _by_first_factor(call: Call) -> int:
    first, second = (operand.shape for operand in call.layer.node.operands[:2])
    return math.prod(first) * second[-1] - call.macs


def _of_the_sum(call: Call) -> int:
    """The matrix that is added, in the order of the operands here: the product's factors first."""
    return call.layer.node.operands[2].numel


def _scores(call: Call) -> int:
    query, key = (operand.shape for operand in call.layer.node.operands[:2])
    return math.prod(query) + math.prod(query[:-1]) * key[-2]


def _projection_bias(call: Call) -> int:
    """Of the output projection it counts one that may be absent."""
    last = any(weight.name.endswith("out_proj.weight") for weight in call.layer.node.weights)
    return call.out_elements if last or _biased(call) else 0


def _patched_product(call: Call) -> int:
    return call.macs + (_of_the_sum(call) if len(call.layer.node.operands) > 2 else 0)


_INSIDE_ATTENTION = (
    *_hook(Linear, adds=_projection_bias, why="biases of attention projections, 1 per output", products=True),
    *_hook(Attention, adds=_scores, why="scaling and softmax of attention", products=True),
    *_hook(Softmax, adds=_in, why="scaling and softmax of attention"),
    *_hook(
        Elementwise, adds=lambda call: _in(call) if _is_product(call) else 0, why="scaling and softmax of attention"
    ),
    *_hook(MatMul, adds=lambda call: 0, why="", products=True),
    *_function(MatMul, adds=_patched_product, why="attention products and softmax again, by their functions"),
    *_function(Softmax, adds=_in, why="attention products and softmax again, by their functions"),
)


def _is_product(call: Call) -> bool:
    return isinstance(call.op, Elementwise) and call.op.function == "mul"


_ACTIVATION = _hook(Activation, adds=_out, why="activation modules, 1 per element")
_POOL = _hook(*_POOLS, adds=_in, why="pooling modules, 1 per input element")
_NORM = _hook(Normalize, adds=_normalisation, why="normalisation, 2 per element (LayerNorm, no scale: 1)")
_CONV = _hook(Conv, ConvTranspose, adds=_convolution, why="biases of convolutions, 1 per output", products=True)
_RNN = _hook(Recurrent, adds=_recurrent, why="arithmetic of recurrent cells beside their products", products=True)

_MODULES: Rules = {
    **{f"nn.Conv{axes}d": _CONV for axes in (1, 2, 3)},
    **{f"nn.ConvTranspose{axes}d": _CONV for axes in (1, 2, 3)},
    **{f"nn.{name}": _ACTIVATION for name in ("ReLU", "PReLU", "ELU", "LeakyReLU", "ReLU6", "GELU")},
    **{
        f"nn.{how}{kind}Pool{axes}d": _POOL for how in ("", "Adaptive") for kind in ("Max", "Avg") for axes in (1, 2, 3)
    },
    **{f"nn.{kind}Norm{axes}d": _NORM for kind in ("Batch", "Instance") for axes in (1, 2, 3)},
    **dict.fromkeys(("nn.GroupNorm", "nn.LayerNorm"), _NORM),
    **{f"nn.{cell}{suffix}": _RNN for cell in ("RNN", "GRU", "LSTM") for suffix in ("", "Cell")},
    "nn.Linear": _hook(Linear, MatMul, adds=_bias, why="biases of linear layers, 1 per output", products=True),
    "nn.Upsample": _hook(
        Resample, adds=lambda call: _out(call) // call.input[0], why="interpolation modules, 1 per output of one item"
    ),
    "torchvision.ops.deform_conv.DeformConv2d": _hook(
        DeformConv, adds=_sampling, why="sampling and biases of deformable convolutions", products=True
    ),
    "nn.MultiheadAttention": _INSIDE_ATTENTION,
    _ATTENTION: _hook(Attention, adds=_scores, why="scaling and softmax of attention", products=True),
}

_F = "torch.nn.functional."
_PATCHED_ACTIVATION = _function(Activation, adds=_in, why="activation functions, 1 per element (modules call them)")
_PATCHED_POOL = _function(*_POOLS, adds=_in, why="pooling functions, 1 per input element (modules call them)")
_ARITHMETIC = _function(Elementwise, adds=_broadcast, why="add and mul written as functions, 1 per element")
_PRODUCT = _function(
    Linear,
    MatMul,
    adds=_by_first_factor,
    why="products broadcast over batches of the second factor",
    products=True,
)
_ADDED = _function(Linear, MatMul, adds=_of_the_sum, why="sums of addmm and baddbmm, 1 per element", products=True)
_FUNCTIONS: Rules = {
    **{f"{_F}{name}": _PATCHED_ACTIVATION for name in ("relu", "prelu", "elu", "relu6", "gelu", "silu")},
    **{
        f"{_F}{how}{kind}_pool{axes}d": _PATCHED_POOL
        for how in ("", "adaptive_")
        for kind in ("max", "avg")
        for axes in (1, 2, 3)
    },
    **{
        f"{_F}lp_pool{axes}d": _function(
            *_POOLS, adds=_power_pooled, why="pooling of powers, by the patched functions it calls: in + 2 * out"
        )
        for axes in (1, 2, 3)
    },
    f"{_F}softmax": _function(Softmax, adds=_in, why="softmax functions, 1 per element (modules call them)"),
    f"{_F}interpolate": _function(Resample, adds=_out, why="interpolation functions, 1 per output element"),
    **{f"torch.{place}{name}": _PRODUCT for place in ("", "Tensor.") for name in ("matmul", "mm", "bmm")},
    **dict.fromkeys(("torch.addmm", "torch.Tensor.addmm", "torch.baddbmm"), _ADDED),
    **{f"torch.{place}{name}": _ARITHMETIC for place in ("", "Tensor.") for name in ("mul", "add")},
}


def _rules_of(call: Call) -> tuple[Rule, ...]:
    patched = _FUNCTIONS.get(call.caller.function, ()) if call.caller.by_name else ()
    return (*_MODULES.get(call.caller.module, ()), *patched)


PTFLOPS = Convention(
    name="ptflops",
    read_from="ptflops 0.7.5",
    summary="products with their biases, and 1 or 2 per element of activations, pooling, normalisation and softmax, by "
    "hooks on modules and by patched functions: a ReLU module, which calls the function, counts twice; `+` and `@` "
    "written as operators, functional convolutions and linear layers are not seen",
    rules_of=_rules_of,
    times_held=lambda held: held,  # it hooks a module once, and adds it up at every place
    eclipsing=frozenset({"nn.MultiheadAttention", _ATTENTION}),
    per_item=True,
)
