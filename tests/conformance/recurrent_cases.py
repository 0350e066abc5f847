"""Recurrent layers: every step, layer and direction."""

from __future__ import annotations

import torch
from torch import nn

from tests.conformance.case import Cases
from tests.sources.torch.networks import Calls

CASES = Cases()
# A first state of zeros is a constant to the exporter, and so is its product with the weights.
LAYER = "steps * batch * directions * gates * hidden * (inputs + state)"


def first(build):
    """A layer without its states."""
    return lambda: Calls(lambda self, x: self.layer(x)[0], layer=build())


def _loop(self, sequence):
    state = None
    for step in sequence:
        state = self.cell(step, state)
    return state


CASES.add(
    "lstm_bidirectional",
    first(lambda: nn.LSTM(8, 16, bidirectional=True)),
    (5, 3, 8),
    says=LAYER,
    macs="5*3 * 2 * 4*16 * (8 + 16)",
    params="2 * (4*16*(8 + 16) + 2*4*16)",
)
CASES.add(
    "lstm_stacked_projected",
    first(lambda: nn.LSTM(8, 16, 2, bidirectional=True, proj_size=5)),
    (4, 3, 8),
    says=f"{LAYER} + hidden * projection, the second layer on both directions' states",
    macs="4*3 * 2 * (4*16*(8 + 5) + 16*5 + 4*16*(10 + 5) + 16*5)",
    params="2 * (4*16*(8 + 5) + 16*5 + 4*16*(10 + 5) + 16*5 + 4*4*16)",
    exports=False,
)
CASES.add(
    "gru_stacked_bidirectional",
    first(lambda: nn.GRU(8, 16, 2, batch_first=True, bidirectional=True)),
    (3, 5, 8),
    says=LAYER,
    macs="5*3 * 2 * 3*16 * ((8 + 16) + (32 + 16))",
    params="2 * (3*16*(8 + 16) + 3*16*(32 + 16) + 4*3*16)",
)
CASES.add(
    "rnn_relu_unbatched",
    first(lambda: nn.RNN(8, 16, nonlinearity="relu", bias=False)),
    (5, 8),
    says=LAYER,
    macs="5*1 * 1 * 16 * (8 + 16)",
    exported_macs="5*16*8 + 4*16*16",
    params="16*(8 + 16)",
)
CASES.add(
    "lstm_on_values",
    lambda: Calls(lambda self, x: self.layer(x)[0] if x.sum() > 0 else x, layer=nn.LSTM(8, 16)),
    torch.ones(5, 3, 8),
    says=LAYER,
    macs="5*3 * 1 * 4*16 * (8 + 16)",
    params="4*16*(8 + 16) + 2*4*16",
    exports=False,
)
CASES.add(
    "lstm_packed",
    lambda: Calls(
        lambda self, x: (
            self.layer(nn.utils.rnn.pack_padded_sequence(x, torch.tensor([5, 3, 1]), batch_first=True))[0].data
        ),
        layer=nn.LSTM(8, 16, batch_first=True),
    ),
    (3, 5, 8),
    says="the real steps alone: (5 + 3 + 1) * gates * hidden * (inputs + state)",
    macs="(5+3+1) * 4*16 * (8 + 16)",
    params="4*16*(8 + 16) + 2*4*16",
    exports=False,
)
CASES.add(
    "lstm_cell",
    first(lambda: nn.LSTMCell(8, 16)),
    (3, 8),
    says=LAYER,
    macs="1*3 * 1 * 4*16 * (8 + 16)",
    exported_macs="3 * 4*16 * 8",
    params="4*16*(8 + 16) + 2*4*16",
)
CASES.add(
    "gru_cell_loop",
    lambda: Calls(_loop, cell=nn.GRUCell(8, 16)),
    (5, 3, 8),
    says=LAYER,
    macs="5*3 * 1 * 3*16 * (8 + 16)",
    exported_macs="5*3 * 3*16 * 8 + 4*3 * 3*16 * 16",
    params="3*16*(8 + 16) + 2*3*16",
)
CASES.add(
    "rnn_cell",
    lambda: nn.RNNCell(8, 16, bias=False),
    (3, 8),
    says=LAYER,
    macs="1*3 * 1 * 16 * (8 + 16)",
    exported_macs="3 * 16 * 8",
    params="16*(8 + 16)",
)
