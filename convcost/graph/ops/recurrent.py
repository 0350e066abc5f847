"""Recurrent layers: every step, layer and direction."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

from convcost.dataclasses import dataclass
from convcost.graph.ops.base import Arithmetic, Op, Shapes, positions
from convcost.graph.tensor import Tensor

Cell = Literal["rnn", "gru", "lstm"]

_GATES: dict[Cell, int] = {"rnn": 1, "gru": 3, "lstm": 4}
_STATE_UPDATE: dict[Cell, int] = {"rnn": 0, "gru": 5, "lstm": 5}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrent(Op):
    """A stack of recurrent layers over data `(*, input_size)`, the leading axes being steps and batch in any order.

    `projection` is the size an LSTM's hidden state is projected to (0: none). Outputs are the sequence
    `(*, directions * state)` and whatever final states the source lists.
    """

    cell: Cell
    input_size: int
    hidden_size: int
    layers: int = 1
    directions: int = 1
    projection: int = 0
    biased: bool = True

    family: ClassVar[str] = "recurrent"
    formula: ClassVar[str] = (
        "steps * batch * directions * sum over layers of gates * hidden * (inputs + state) [+ hidden * projection]; "
        "other ops per gate value: 1 sum, 2 biases, 1 activation; per state value: 5 (lstm, gru)"
    )
    reference: ClassVar[str] = "Hochreiter & Schmidhuber 1997; Cho et al. 2014; the equations in torch.nn.LSTM and GRU"

    @property
    def kind(self) -> str:
        return self.cell

    @property
    def state(self) -> int:
        return self.projection or self.hidden_size

    def output_shapes(self, operands: Shapes) -> Shapes:
        return ((*positions(operands[0], self.input_size), self.directions * self.state),)

    def passing_bytes(self, outputs: tuple[Tensor, ...]) -> int:
        """The sequence that the last layer but one gives: as large as the last one's."""
        return outputs[0].nbytes if self.layers > 1 else 0

    @property
    def _gate_values(self) -> int:
        return _GATES[self.cell] * self.hidden_size

    def arithmetic(self, operands: Shapes, outputs: Shapes) -> Arithmetic:
        steps = math.prod(operands[0][:-1]) * self.directions
        gates = self._gate_values
        inputs = [self.input_size] + [self.directions * self.state] * (self.layers - 1)
        macs = sum(gates * (size + self.state) + self.hidden_size * self.projection for size in inputs)
        per_step = gates * (2 + (2 if self.biased else 0)) + _STATE_UPDATE[self.cell] * self.hidden_size
        return Arithmetic(steps * macs, steps * per_step * self.layers)

    def gradient_macs(self, operands: Shapes, outputs: Shapes, needed: tuple[bool, ...]) -> int:
        """Gradients of every gate product by its state and weights, and by the layer's input where that needs one."""
        macs = self.arithmetic(operands, outputs).macs
        by_input, by_weight = needed[0], any(needed[1:])
        first_input = math.prod(operands[0][:-1]) * self.directions * self._gate_values * self.input_size
        return macs * by_weight + macs - first_input * (not by_input)
