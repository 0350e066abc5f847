from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from convcost.errors import ShapeError
from convcost.graph.ops import Cell, Recurrent
from tests.oracle import Multiplier, recurrent

SIZES = st.integers(1, 3)
GATES: dict[Cell, int] = {"rnn": 1, "gru": 3, "lstm": 4}


@given(
    st.sampled_from(["rnn", "gru", "lstm"]),
    SIZES,
    SIZES,
    SIZES,
    st.integers(2, 4),
    SIZES,
    st.integers(1, 2),
    st.booleans(),
)
def test_every_gate_product_of_every_step_layer_and_direction_is_counted(
    cell: Cell, steps: int, batch: int, inputs: int, hidden: int, layers: int, directions: int, projected: bool
) -> None:
    projection = hidden - 1 if projected and cell == "lstm" else 0
    times = Multiplier()
    features = recurrent(
        gates=GATES[cell],
        steps=steps,
        batch=batch,
        inputs=inputs,
        hidden=hidden,
        layers=layers,
        directions=directions,
        projection=projection,
        times=times,
    )
    op = Recurrent(
        cell=cell, input_size=inputs, hidden_size=hidden, layers=layers, directions=directions, projection=projection
    )
    data = (steps, batch, inputs)
    assert op.output_shapes((data,)) == ((steps, batch, features),)
    assert op.arithmetic((data,), op.output_shapes((data,))).macs == times.count


@pytest.mark.parametrize(("cell", "module"), [("rnn", torch.nn.RNN), ("gru", torch.nn.GRU), ("lstm", torch.nn.LSTM)])
def test_one_step_of_batch_one_multiplies_each_gate_weight_once(cell: Cell, module: type[torch.nn.RNNBase]) -> None:
    with torch.device("meta"):
        stack = module(8, 16, num_layers=2, bidirectional=True, bias=False)
    op = Recurrent(cell=cell, input_size=8, hidden_size=16, layers=2, directions=2)
    assert op.arithmetic(((1, 1, 8),), ((1, 1, 32),)).macs == sum(p.numel() for p in stack.parameters())


@pytest.mark.parametrize(
    ("cell", "biased", "per_step"),
    [
        ("lstm", True, 4 * 16 * (1 + 2 + 1) + 5 * 16),
        ("lstm", False, 4 * 16 * (1 + 1) + 5 * 16),
        ("gru", True, 3 * 16 * (1 + 2 + 1) + 5 * 16),
        ("rnn", True, 16 * (1 + 2 + 1)),
    ],
)
def test_other_ops_are_sums_biases_activations_and_the_state_update(cell: Cell, biased: bool, per_step: int) -> None:
    op = Recurrent(cell=cell, input_size=8, hidden_size=16, biased=biased)
    assert op.arithmetic(((5, 1, 8),), ((5, 1, 16),)).other_ops == 5 * per_step


@pytest.mark.parametrize("data", [(5, 1, 7), ()])
def test_features_of_another_size_are_refused(data: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="expected 8 input features"):
        Recurrent(cell="lstm", input_size=8, hidden_size=16).output_shapes((data,))


def test_the_kind_is_the_cell() -> None:
    assert Recurrent(cell="gru", input_size=1, hidden_size=1).kind == "gru"
