"""Small modules that do the things which make counting, or leaving no trace, hard."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  # the name everyone reads it by


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(4, 8, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1)
        self.dropout = nn.Dropout()

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        return self.dropout(y + self.conv2(y))


class Calls(nn.Module):
    """Runs a function of itself and its inputs, on whatever tensors and modules it is given."""

    def __init__(self, function, **members):
        super().__init__()
        self.function = function
        for name, member in members.items():
            setattr(self, name, member)

    def forward(self, *inputs, **named):
        return self.function(self, *inputs, **named)


class Changed(nn.LSTM):
    """What a layer becomes that changes its class when it is run, as lazy ones do."""


class Untidy(nn.Module):
    """Changes everything about itself that a forward pass can."""

    def __init__(self, ends_with: BaseException | None = None):
        super().__init__()
        self.conv = nn.utils.weight_norm(nn.Conv2d(3, 4, 3))
        self.rnn = nn.LSTM(4, 4)
        self.register_buffer("calls", torch.zeros(()))
        self.plain = torch.zeros(3)
        self.seen = []
        self.cache = {"size": 0}
        self.ends_with = ends_with

    def forward(self, x):
        self.calls += 1
        self.plain.add_(1)
        self.seen.append(x.shape)
        self.cache["size"] = x.numel()
        self.last = x
        self.conv.train()
        self.rnn.__class__ = Changed
        torch.set_default_dtype(torch.float64)
        torch.rand(3)
        y = self.conv(x).flatten(2).transpose(1, 2)
        if self.ends_with is not None:
            raise self.ends_with
        return F.relu(self.rnn(y)[0])
