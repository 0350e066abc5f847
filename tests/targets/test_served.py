"""The process that holds one model and runs it when asked."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from convcost.latency import Setting
from convcost.sources.request import Request
from convcost.targets import served

TINY = "layer: {type: conv, in_channels: 2, out_channels: 4, kernel: 3, input: [6, 6]}\n"


def answers(request: Request, *questions: str) -> list[object]:
    told = io.StringIO()
    served.serve(request, Setting(runtime="torch"), questions, told)
    return [json.loads(line) for line in told.getvalue().splitlines()]


def test_it_says_what_it_holds_and_answers_each_question(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    held, seconds, notes, spent = answers(Request(target=str(tmp_path / "tiny.yaml")), "2\n", "settle\n", "spent\n")
    assert isinstance(held, dict)
    assert held["device_name"]
    assert isinstance(seconds, float)
    assert seconds > 0
    assert notes == []
    assert isinstance(spent, float)
    assert spent > 0


@pytest.mark.parametrize(("target", "says"), [("gone.yaml", "gone.yaml"), ("gone.py:build", "gone.py")])
def test_what_it_cannot_hold_it_refuses(target: str, says: str) -> None:
    (refusal,) = answers(Request(target=target), "1\n")
    assert isinstance(refusal, dict)
    assert says in refusal["refused"]
