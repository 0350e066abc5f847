"""torchinfo's mult-adds: the parameters of every leaf module, times some axes of its output."""

from __future__ import annotations

import math
from collections.abc import Iterable

from convcost.conventions.rule import Call, Convention, Rule
from convcost.graph import Role, Weight
from convcost.graph.ops import ALL_OPS, Conv, ConvTranspose, Recurrent

_CELL_GATES = {"nn.RNNCell": 1, "nn.GRUCell": 3, "nn.LSTMCell": 4}


def _of_factors(call: Call) -> int:
    """What the parameters that multiply come to, beyond the products they really make."""
    return _counted(call, [weight for weight in _parameters(call) if call.macs and len(weight.shape) > 1]) - call.macs


def _of_the_rest(call: Call) -> int:
    return _counted(call, [weight for weight in _parameters(call) if not call.macs or len(weight.shape) == 1])


def _counted(call: Call, weights: Iterable[Weight]) -> int:
    plain = named = 0
    for weight in weights:
        kind = weight.name.rpartition(".")[2]
        if kind in ("weight", "bias"):
            plain += weight.numel
        elif "weight" in kind or "bias" in kind:
            named += weight.numel
    return plain * _times(call) + named * _times_of_a_cell(call)


def _parameters(call: Call) -> list[Weight]:
    return [weight for weight in call.layer.node.weights if weight.role is Role.PARAMETER]


def _times(call: Call) -> int:
    """Every axis of the output but the second for a convolution, the first alone for anything else."""
    given = call.caller.input
    if call.caller.module == "nn.Embedding":
        return call.layer.node.outputs[0].shape[0]
    if "Conv" not in call.caller.module.rpartition(".")[2]:
        # Without any axis before the features, the features come first.
        return given[0] if len(given) > 1 else call.out_elements
    out = call.layer.node.outputs[0].shape
    if isinstance(call.op, (Conv, ConvTranspose)) and len(given) == len(call.op.kernel) + 1:
        out = out[-len(given) :]  # without a batch axis, the channels go first and are taken for it
    return math.prod(out[:1] + out[2:])


def _times_of_a_cell(call: Call) -> int:
    """The first two axes of the output, of a recurrent cell's too, which are the batch and the state."""
    if call.caller.module in _CELL_GATES and isinstance(call.op, Recurrent):
        batch = call.caller.input[:-1]
        return math.prod((*batch, call.op.hidden_size))
    given = call.caller.input
    if isinstance(call.op, Recurrent) and len(given) == 2:  # unbatched or packed: rows, then the state
        return given[0] * call.op.directions * call.op.state
    return math.prod(given[:2])


def _known(call: Call) -> bool:
    """A module of one's own may give its output any shape; torch's own may have been lent other parameters."""
    return bool(_parameters(call)) == call.caller.module.startswith("nn.")


_LEAF = (
    Rule(
        ops=ALL_OPS,
        products=True,
        adds=_of_factors,
        why="weights times axes of the output (linear: the first)",
        hooked=True,
        exact=_known,
    ),
    Rule(
        ops=ALL_OPS,
        adds=_of_the_rest,
        why="biases, norms …: parameters times axes of the output",
        hooked=True,
        # Of one long list, the offsets say how many bags there are.
        exact=lambda call: call.caller.module != "nn.EmbeddingBag" or len(call.caller.input) > 1,
    ),
)


def _rules_of(call: Call) -> tuple[Rule, ...]:
    return _LEAF if call.caller.is_leaf and (call.macs or _parameters(call)) else ()


TORCHINFO = Convention(
    name="torchinfo",
    read_from="torchinfo 1.8.0",
    summary="the parameters of every leaf module (weights, biases, norms, embeddings), times the positions and batch "
    "of the output for convolutions, its first axis for anything else: tokens of a linear layer and functional work "
    "are not seen",
    rules_of=_rules_of,
)
