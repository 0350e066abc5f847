"""Quantized layers: the same products on one-byte numbers, their weights in boxes."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol, cast

from convcost.graph import Tensor
from convcost.graph.ops import (
    Activation,
    Cell,
    Conv,
    ConvTranspose,
    Elementwise,
    Gather,
    Linear,
    MatMul,
    Normalize,
    Recurrent,
    Reduce,
)
from convcost.sources.torch.call import Call, Step
from convcost.sources.torch.lowering.recurrent import GATES
from convcost.sources.torch.lowering.table import lowers


class _PackedConv(Protocol):
    """What a convolution's box of weights answers to."""

    def stride(self) -> list[int]: ...
    def padding(self) -> list[int]: ...
    def output_padding(self) -> list[int]: ...
    def dilation(self) -> list[int]: ...
    def groups(self) -> int: ...
    def transpose(self) -> bool: ...


_CONVOLUTIONS = tuple(
    f"quantized.conv{axes}d{form}" for axes in (1, 2, 3) for form in ("", "_relu", "_dynamic", "_add", "_add_relu")
)
_TRANSPOSED = tuple(f"quantized.conv_transpose{axes}d{form}" for axes in (1, 2, 3) for form in ("", "_dynamic"))
_LINEARS = tuple(
    f"quantized.linear{form}"
    for form in ("", "_relu", "_leaky_relu", "_tanh", "_dynamic", "_relu_dynamic", "_dynamic_fp16")
)
_CELLS: dict[str, Cell] = {
    "quantized_lstm_cell_dynamic": "lstm",
    "quantized_gru_cell_dynamic": "gru",
    "quantized_rnn_relu_cell_dynamic": "rnn",
    "quantized_rnn_tanh_cell_dynamic": "rnn",
}


@lowers(*_LINEARS)
def _linear(call: Call) -> Step:
    weight, *bias = call.packed("W_prepack")
    op = Linear(in_features=weight.shape[1], out_features=weight.shape[0])
    return Step(op, (call.operands[0], weight, *bias))


@lowers(*_CONVOLUTIONS, *_TRANSPOSED)
def _conv(call: Call) -> Step:
    weight, *bias = call.packed("packed_weight")
    box = cast("_PackedConv", call.argument("packed_weight"))
    # One-dimensional kernels are stored as flat two-dimensional ones.
    axes = int(next(letter for letter in call.signature.word if letter.isdigit()))
    op = _transposed(weight, box, axes) if box.transpose() else _forward(weight, box, axes)
    return Step(op, (call.operands[0], weight, *bias))


def _forward(weight: Tensor, box: _PackedConv, axes: int) -> Conv:
    return Conv(
        in_channels=weight.shape[1] * box.groups(),
        out_channels=weight.shape[0],
        kernel=weight.shape[-axes:],
        stride=tuple(box.stride()[-axes:]),
        pads=tuple((pad, pad) for pad in box.padding()[-axes:]),
        dilation=tuple(box.dilation()[-axes:]),
        groups=box.groups(),
    )


def _transposed(weight: Tensor, box: _PackedConv, axes: int) -> ConvTranspose:
    return ConvTranspose(
        in_channels=weight.shape[0],
        out_channels=weight.shape[1] * box.groups(),
        kernel=weight.shape[-axes:],
        stride=tuple(box.stride()[-axes:]),
        pads=tuple((pad, pad) for pad in box.padding()[-axes:]),
        dilation=tuple(box.dilation()[-axes:]),
        groups=box.groups(),
        output_padding=tuple(box.output_padding()[-axes:]),
    )


@lowers("quantized.matmul")
def _matmul(call: Call) -> Step:
    return Step(MatMul(), call.operands[:2])


@lowers(*(f"quantized.{name}{form}" for name in ("add", "mul") for form in ("", "_relu", "_scalar", "_scalar_relu")))
def _arithmetic(call: Call) -> Step:
    return Step(Elementwise(function=call.signature.word), call.operands)


@lowers(*(f"quantized.{name}" for name in ("hardswish", "leaky_relu", "relu6", "sigmoid", "elu", "celu", "threshold")))
def _activation(call: Call) -> Step:
    return Step(Activation(function=call.signature.word), call.operands[:1])


@lowers(*(f"quantized.batch_norm{axes}{relu}" for axes in ("", "1d", "2d", "3d") for relu in ("", "_relu")))
def _batch_norm(call: Call) -> Step:
    return Step(Normalize(method="batch"), call.operands)


@lowers("quantized.layer_norm")
def _layer_norm(call: Call) -> Step:
    return Step(Normalize(method="layer"), call.operands)


@lowers("aten.quantized_lstm")
def _lstm(call: Call) -> Step:
    return _layers(call, "lstm")


@lowers("aten.quantized_gru")
def _gru(call: Call) -> Step:
    return _layers(call, "gru")


def _layers(call: Call, cell: Cell) -> Step:
    """A stack whose cells keep their weights in boxes of boxes."""
    (data,) = call.tensors("input", "data")
    state = call.tensors("hx")
    op = Recurrent(
        cell=cell,
        input_size=data.shape[-1],
        hidden_size=state[0].shape[-1],
        layers=call.integer("num_layers"),
        directions=2 if call.flag("bidirectional") else 1,
        biased=call.flag("has_biases"),
    )
    return Step(op, (data, *call.packed("params"), *call.tensors("batch_sizes"), *state))


@lowers(*(f"quantized.{name}" for name in _CELLS))
def _single_step(call: Call) -> Step:
    cell = _CELLS[call.signature.word]
    by_input, *input_bias = call.packed("w_ih")
    by_state, *state_bias = call.packed("w_hh")
    op = Recurrent(
        cell=cell,
        input_size=by_input.shape[1],
        hidden_size=by_input.shape[0] // GATES[cell],
        biased=bool(input_bias),
    )
    return Step(op, (call.operands[0], by_input, by_state, *input_bias, *state_bias, *call.operands[1:]))


@lowers(*(f"quantized.{name}_{form}" for name in ("embedding", "embedding_bag") for form in ("byte", "4bit")))
def _embedding(call: Call) -> tuple[Step, ...]:
    """Rows looked up in the narrow type, made floats, and in a bag added up."""
    (table,) = call.packed("weight")
    indices = call.tensor("indices")
    shape = (*indices.shape, *table.shape[1:])
    rows, floats = (Tensor(name=f"{table.name} {word}", shape=shape) for word in ("rows", "as floats"))
    looked_up = Step(Gather(), (table, indices), (replace(rows, dtype=table.dtype),))
    dequantize = Elementwise(function="dequantize")
    if "bag" not in call.signature.word:
        return looked_up, Step(dequantize, (rows,))
    bags = Reduce(function="embedding_bag", axes=(0,))
    return looked_up, Step(dequantize, (rows,), (floats,)), Step(bags, (floats, *call.tensors("offsets")))
