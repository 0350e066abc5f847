"""torchinfo's mult-adds: the parameters of every leaf module, times some axes of its output."""

from __future__ import annotations

import math

from convcost.conventions.rule import Call, Convention, Rule
from convcost.graph.caller import Caller
from convcost.graph.ops import ALL_OPS

_MASKED = "_orig"


def _of_factors(call: Call) -> int:
    """What the matrices and kernels of a module come to that multiplies, beyond the products it really makes."""
    return _counted(call, factors=True) - call.macs if call.macs else 0


def _of_the_rest(call: Call) -> int:
    return _counted(call, factors=False)


def _counted(call: Call, *, factors: bool) -> int:
    """Once for all that a module's call ran."""
    return sum(
        math.prod(shape) * _times(call.caller, name)
        for name, shape in (call.caller.parameters if call.leads else ())
        if factors is (call.macs > 0 and len(shape) > 1)
    )


def _idle(caller: Caller) -> int:
    return sum(math.prod(shape) * _times(caller, name) for name, shape in caller.parameters)


def _times(caller: Caller, name: str) -> int:
    """Of the output's axes all but the second for a convolution, the first for others, for longer names two."""
    output = caller.output or ()
    if name.removesuffix(_MASKED) in ("weight", "bias"):
        is_convolution = "Conv" in caller.module.rpartition(".")[2]
        return math.prod(output[:1] + output[2:] if is_convolution else output[:1])
    return math.prod(output[:2]) if "weight" in name or "bias" in name else 0


def _known(call: Call) -> bool:
    """Of a pruned module it counts what a mask leaves."""
    return call.caller.output is not None and not any(name.endswith(_MASKED) for name, _ in call.caller.parameters)


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
        exact=_known,
    ),
)


def _rules_of(call: Call) -> tuple[Rule, ...]:
    return _LEAF if call.caller.is_leaf and call.caller.parameters and (call.macs or call.leads) else ()


TORCHINFO = Convention(
    name="torchinfo",
    read_from="torchinfo 1.8.0",
    summary="the parameters of every leaf module (weights, biases, norms, embeddings), times the positions and batch "
    "of the output for convolutions, its first axis for anything else: tokens of a linear layer and functional work "
    "are not seen",
    rules_of=_rules_of,
    by_operator=False,
    idle=_idle,
)
