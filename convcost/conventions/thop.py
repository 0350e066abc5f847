"""thop's profile: hooks on modules of exactly the classes in its table; functions are never seen."""

from __future__ import annotations

import math
from fractions import Fraction

from convcost.conventions.fvcore import affine
from convcost.conventions.rule import Amount, Call, Convention, Rule
from convcost.graph.ops import (
    Activation,
    AdaptivePool,
    Conv,
    ConvTranspose,
    Linear,
    MatMul,
    Normalize,
    Op,
    Pool,
    Recurrent,
    Resample,
    Softmax,
)

_SEQUENCE_AXES = 3


def _hook(op: type[Op], adds: Amount, why: str) -> Rule:
    return Rule(ops=(op,), adds=adds, why=why, hooked=True)


def _at_output_positions(call: Call) -> int:
    """Outputs times the channels on the axis it takes for theirs, which is the second, batch or not."""
    op = call.op
    if not isinstance(op, (Conv, ConvTranspose)):
        return 0
    channels = call.caller.input[1] if len(call.caller.input) > 1 else op.in_channels
    return call.out_elements * (channels // op.groups) * math.prod(op.kernel) - call.macs


def _normalisation(call: Call) -> int:
    return call.in_elements * (4 if affine(call) else 2)


def _adaptive_average(call: Call) -> int:
    """A window of the average size, divided as it stands, and one division, for every output."""
    op = call.op
    if not isinstance(op, AdaptivePool):
        return 0
    sizes = zip(call.input[-len(op.output_size) :], op.output_size, strict=True)
    window = math.prod((Fraction(size, out) for size, out in sizes), start=Fraction(1))
    return int((window + 1) * call.out_elements)


def _softmax(call: Call) -> int:
    along = call.input[_softmax_axis(call)]
    return call.in_elements // along * (3 * along - 1)


def _softmax_axis(call: Call) -> int:
    axes = [item for item in call.caller.plain if isinstance(item, int)]
    return axes[0] if axes else -1


def _upsampling(call: Call) -> int:
    """By mode; the numbers of operations it gives for one output. `trilinear` is not in its list."""
    per_output = {("nearest", axes): 1 for axes in (1, 2, 3)} | {("linear", 1): 5, ("linear", 2): 11, ("cubic", 2): 259}
    op = call.op
    if not isinstance(op, Resample):
        return 0
    return call.out_elements * per_output.get((op.interpolation, len(op.output_size)), 0)


def _recurrent(call: Call) -> int:
    """Its equations of the cells, without projections, for the first two axes of whatever it is given."""
    op = call.op
    if not isinstance(op, Recurrent):
        return 0
    hidden, biases = op.hidden_size, 2 * op.hidden_size if op.biased else 0
    gates, rest = {"rnn": (1, 0), "gru": (3, 4 * hidden), "lstm": (4, 4 * hidden)}[op.cell]
    inputs = (op.input_size, *(op.directions * hidden for _ in range(op.layers - 1)))
    step = sum(gates * ((size + hidden) * hidden + hidden + biases) + rest for size in inputs) * op.directions
    return step * _steps(call) - call.macs


def _steps(call: Call) -> int:
    """The first two axes of what the module is given, batch or not; of a packed sequence its steps and batch."""
    if call.caller.module.endswith("Cell"):
        return call.caller.input[0]
    if is_packed(call):
        computed = [operand.shape for operand in call.layer.node.inputs]
        batch_sizes = next(shape for shape in computed if len(shape) == 1)
        return batch_sizes[0] * computed[-1][1]
    return math.prod(call.caller.input[:2])


def is_packed(call: Call) -> bool:
    """Whether a recurrent layer is given sequences of several lengths, as the rows of one matrix."""
    return not call.caller.module.endswith("Cell") and len(call.input) < _SEQUENCE_AXES


_CONV = (
    Rule(
        ops=(Conv, ConvTranspose),
        products=True,
        adds=_at_output_positions,
        why="transposed convolutions at output positions",
        hooked=True,
    ),
)
_NORM = (_hook(Normalize, _normalisation, "normalisation, 4 per element (2 without scale)"),)
_AVERAGE = (_hook(Pool, lambda call: call.out_elements, "average pooling, 1 per output element"),)
_ADAPTIVE = (_hook(AdaptivePool, _adaptive_average, "adaptive average pooling, window + 1 per output"),)
_RNN = (
    Rule(
        ops=(Recurrent,),
        products=True,
        adds=_recurrent,
        why="arithmetic of recurrent cells beside their products",
        hooked=True,
    ),
)
_RESIZE = (_hook(Resample, _upsampling, "interpolation, by its mode 1 to 259 per output"),)

_RULES: dict[str, tuple[Rule, ...]] = {
    **{f"nn.Conv{axes}d": _CONV for axes in (1, 2, 3)},
    **{f"nn.ConvTranspose{axes}d": _CONV for axes in (1, 2, 3)},
    **{f"nn.{kind}Norm{axes}d": _NORM for kind in ("Batch", "Instance") for axes in (1, 2, 3)},
    **dict.fromkeys(("nn.LayerNorm", "nn.SyncBatchNorm"), _NORM),
    **{f"nn.AvgPool{axes}d": _AVERAGE for axes in (1, 2, 3)},
    **{f"nn.AdaptiveAvgPool{axes}d": _ADAPTIVE for axes in (1, 2, 3)},
    **dict.fromkeys(("nn.Upsample", "nn.UpsamplingBilinear2d", "nn.UpsamplingNearest2d"), _RESIZE),
    **{f"nn.{cell}{suffix}": _RNN for cell in ("RNN", "GRU", "LSTM") for suffix in ("", "Cell")},
    "nn.Linear": (Rule(ops=(Linear, MatMul), products=True, hooked=True),),
    "nn.PReLU": (_hook(Activation, lambda call: call.in_elements, "PReLU, 1 per element"),),
    "nn.Softmax": (_hook(Softmax, _softmax, "softmax, 3 per element less 1 for each row"),),
}

THOP = Convention(
    name="thop",
    read_from="thop 0.1.1.post2209072238",
    summary="what modules of exactly the classes it knows do: products, normalisation at 2 or 4 per element, average "
    "pooling and interpolation; functional calls, subclasses and attention are not seen",
    rules_of=lambda call: _RULES.get(call.caller.module, ()),
    times_held=lambda held: held**2,  # it hooks a module once for every place, and adds it up at each
)
