"""Small graphs to run, written as specs write them."""

from __future__ import annotations

from pathlib import Path

from convcost.graph import Graph
from convcost.sources import Request
from convcost.sources.spec import load_spec

EVERY_LAYER = """
input: [8, 12, 12]
layers:
  - {type: conv, out_channels: 8, kernel: 3, padding: [[0, 1], [1, 2]], groups: 2}
  - {type: norm, method: batch}
  - {type: activation, function: relu6}
  - {type: conv_transpose, out_channels: 6, kernel: 3, stride: 2, padding: [[1, 0], [0, 1]], output_padding: 1}
  - {type: norm, method: instance}
  - {type: activation, function: silu}
  - {type: depthwise, kernel: 3, multiplier: 2, bias: false}
  - {type: activation, function: hardswish}
  - {type: pointwise, out_channels: 8}
  - {type: pool, method: max, kernel: 2}
  - {type: pool, method: avg, kernel: 2, stride: 1, padding: 1, ceil_mode: true}
  - {type: global_pool}
  - {type: flatten}
  - {type: linear, out_features: 5}
"""


def network(tmp_path: Path, text: str = EVERY_LAYER) -> Graph:
    path = tmp_path / "network.yaml"
    path.write_text(text, encoding="utf-8")
    return load_spec(Request(target=str(path)))


def layer(tmp_path: Path, text: str) -> Graph:
    return network(tmp_path, f"layers:\n  - {{{text}}}\n")
