"""Recurrent layers and single cells."""

from __future__ import annotations

from convcost.graph.ops import Cell, Recurrent
from convcost.sources.torch.call import Call, Step
from convcost.sources.torch.lowering.table import lowers

GATES: dict[Cell, int] = {"rnn": 1, "gru": 3, "lstm": 4}
_MKLDNN_CELLS: dict[int, Cell] = {0: "rnn", 1: "rnn", 2: "lstm", 3: "gru"}


@lowers("aten.lstm")
def _lstm(call: Call) -> Step:
    return _layers(call, "lstm")


@lowers("aten.gru")
def _gru(call: Call) -> Step:
    return _layers(call, "gru")


@lowers("aten.rnn_tanh", "aten.rnn_relu")
def _rnn(call: Call) -> Step:
    return _layers(call, "rnn")


@lowers("aten.lstm_cell")
def _lstm_cell(call: Call) -> Step:
    return _single_step(call, "lstm")


@lowers("aten.gru_cell")
def _gru_cell(call: Call) -> Step:
    return _single_step(call, "gru")


@lowers("aten.rnn_tanh_cell", "aten.rnn_relu_cell")
def _rnn_cell(call: Call) -> Step:
    return _single_step(call, "rnn")


@lowers("aten.mkldnn_rnn_layer")
def _mkldnn_layer(call: Call) -> Step:
    """One layer in one direction, as torch splits a stack on the CPU."""
    data = call.tensor("input")
    op = Recurrent(
        cell=_MKLDNN_CELLS[call.integer("mode")],
        input_size=data.shape[-1],
        hidden_size=call.integer("hidden_size"),
        biased=call.flag("has_biases"),
    )
    return Step(op, (data, *call.tensors("weight0", "weight1", "weight2", "weight3", "hx_", "cx_")))


def _layers(call: Call, cell: Cell) -> Step:
    # Packed sequences come as `data` (all steps of all sequences in a row), others as `input`.
    (data,) = call.tensors("input", "data")
    weights = call.tensors("params")
    state = weights[1].shape[1]
    hidden = weights[0].shape[0] // GATES[cell]
    op = Recurrent(
        cell=cell,
        input_size=data.shape[-1],
        hidden_size=hidden,
        layers=call.integer("num_layers"),
        directions=2 if call.flag("bidirectional") else 1,
        projection=state if state != hidden else 0,
        biased=call.flag("has_biases"),
    )
    return Step(op, (data, *weights, *call.tensors("batch_sizes", "hx")))


def _single_step(call: Call, cell: Cell) -> Step:
    data, weight = call.tensor("input"), call.tensor("w_ih")
    op = Recurrent(
        cell=cell,
        input_size=weight.shape[1],
        hidden_size=weight.shape[0] // GATES[cell],
        biased=call.optional("b_ih") is not None,
    )
    return Step(op, (data, *call.tensors("w_ih", "w_hh", "b_ih", "b_hh", "hx")))
