"""Where in the user's own code a layer is called, for annotations beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

import convcost

NET = """\
import torch
from torch import nn

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3)

    def forward(self, x):
        y = self.conv(x)
        return torch.relu(y)

def block():
    return Block()

def stock():
    return nn.Sequential(nn.Conv2d(4, 4, 1))
"""


def test_a_layer_knows_the_line_that_calls_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(NET)
    layers = convcost.analyze("net.py:block", inputs=((1, 4, 8, 8),)).layers
    origins = [layer.node.origin for layer in layers]
    assert [(origin.file, origin.line) for origin in origins if origin] == [("net.py", 10), ("net.py", 11)]


def test_whoever_asks_for_the_analysis_is_no_part_of_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(NET)
    (layer,) = convcost.analyze("net.py:stock", inputs=((1, 4, 8, 8),)).layers
    assert layer.node.origin is not None
    # Only torch's own code calls it; this test, and the program around it, are further out.
    assert (layer.node.origin.file, layer.node.origin.line) == (None, None)
