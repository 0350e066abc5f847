"""Recurrent layers."""

from __future__ import annotations

from convcost.graph.ops import Cell, Recurrent
from convcost.sources.onnx.lowering.call import Call, Lowered, NotCountedError
from convcost.sources.onnx.lowering.registry import lowers

_CELLS: dict[str, Cell] = {"GRU": "gru", "LSTM": "lstm", "RNN": "rnn"}


@lowers(*_CELLS)
def lower_recurrent(call: Call) -> Lowered:
    """Data is `(steps, batch, features)` or batch first; weights `(directions, gates * hidden, features)`."""
    data, recurrence = call.operand(0), call.operand(2)
    if len(data.shape) != 3 or len(recurrence.shape) != 3:
        raise NotCountedError(f"recurrent weights of shape {list(recurrence.shape)} are no stack of matrices")
    hidden = recurrence.shape[-1]
    if (stated := call.attributes.integer("hidden_size", hidden)) != hidden:
        raise NotCountedError(f"its hidden size is {stated}, and {hidden} by its weights")
    op = Recurrent(
        cell=_CELLS[call.operator],
        input_size=data.shape[-1],
        hidden_size=hidden,
        directions=recurrence.shape[0],
        biased=call.argument(3) is not None,
    )
    return Lowered(op=op, operands=call.operands)


@lowers("DynamicQuantizeLSTM")
def lower_quantized_lstm(call: Call) -> Lowered:
    """An LSTM whose stored matrices are transposed; scales and zero points come after its own operands."""
    data, recurrence = call.operand(0), call.operand(2)
    hidden = call.attributes.integer("hidden_size", 0)
    if len(data.shape) != 3 or recurrence.shape[1:] != (hidden, 4 * hidden):
        raise NotCountedError(f"recurrent weights of shape {list(recurrence.shape)} are no stack of matrices")
    directions = recurrence.shape[0]
    op = Recurrent(
        cell="lstm",
        input_size=data.shape[-1],
        hidden_size=hidden,
        directions=directions,
        biased=call.argument(3) is not None,
    )
    states = (directions, data.shape[1], hidden)
    shapes = ((data.shape[0], directions, data.shape[1], hidden), states, states)
    return Lowered(op=op, operands=call.picked(*range(8)), shapes=shapes, dtype=data.dtype)
