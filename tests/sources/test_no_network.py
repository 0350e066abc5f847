"""Nothing that is read opens a connection, whatever kind of target it is."""

from __future__ import annotations

import gzip
import json
import shutil
import socket
from pathlib import Path

import pytest

from convcost import analyze
from convcost.cli import main

SAMPLES = Path(__file__).parents[2] / "sample_configs"
ONNX = SAMPLES / "onnx" / "resnet18.onnx"
FACTORY = "from torch import nn\n\n\ndef make():\n    return nn.Linear(8, 4)\n"


@pytest.fixture
def targets(tmp_path: Path) -> Path:
    shutil.copy(SAMPLES / "layer.yaml", tmp_path)
    shutil.copy(ONNX, tmp_path / "net.onnx")
    (tmp_path / "net.onnx.gz").write_bytes(gzip.compress(ONNX.read_bytes()))
    (tmp_path / "report.json").write_text(json.dumps(analyze(SAMPLES / "layer.yaml").to_json()))
    (tmp_path / "factory.py").write_text(FACTORY)
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        ("analyze", "layer.yaml"),
        ("compare", "layer.yaml"),
        ("analyze", "net.onnx"),
        ("analyze", "net.onnx.gz"),
        ("diff", "report.json", "layer.yaml"),
        ("check", "net.onnx", "--max", "macs=10G"),
        ("analyze", "./factory.py:make", "--input", "1x8"),
        ("analyze", "torchvision:alexnet"),
    ],
    ids=" ".join,
)
def test_no_target_opens_a_connection(targets: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    monkeypatch.chdir(targets)
    attempts: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: attempts.append(address))
    monkeypatch.setattr(socket.socket, "connect_ex", lambda self, address: attempts.append(address))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **options: attempts.append(given))
    assert main([*command]) == 0
    assert attempts == []
