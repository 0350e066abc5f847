"""`--strict`, and what an op that cannot be counted does without it."""

from __future__ import annotations

import json

import pytest

from convcost import sources
from convcost.cli import main
from tests.networks import small_network


@pytest.fixture(autouse=True)
def _a_model_with_an_unknown_op(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "load", lambda request: small_network(unknown=True))


def test_an_unknown_op_is_shown_and_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "model.onnx"]) == 0
    assert "my::op" in capsys.readouterr().out


def test_under_strict_the_report_comes_first_and_the_error_after(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "model.onnx", "--strict", "-f", "json", "-q"]) == 2
    out, err = capsys.readouterr()
    assert json.loads(out)["coverage"]["lower_bound"] is True
    assert err.splitlines() == [
        "error: small: cannot count my::op (no lowering)",
        "hint: without --strict the totals are given as lower bounds",
    ]


def test_a_comparison_lists_what_could_not_be_counted_and_strict_refuses_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "model.onnx"]) == 0
    assert "my::op" in capsys.readouterr().out
    assert main(["compare", "model.onnx", "--strict", "-f", "json"]) == 2
    out, err = capsys.readouterr()
    assert json.loads(out)["lower_bound"] is True
    assert "error: small: cannot count my::op (no lowering)" in err


def test_strict_beats_every_other_verdict() -> None:
    assert main(["check", "model.onnx", "--max", "macs=1"]) == 1
    assert main(["check", "model.onnx", "--max", "macs=1G"]) == 3
    assert main(["check", "model.onnx", "--max", "macs=1", "--strict"]) == 2
