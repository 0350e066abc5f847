"""A model that another process runs, with stand-ins for that process."""

from __future__ import annotations

import os
import sys
import time

import pytest

from convcost.latency import NotMeasurable, OtherProcess, Setting, measure
from convcost.latency.protocol import Protocol
from convcost.latency.runners import elsewhere
from convcost.latency.runners.elsewhere import open_elsewhere
from convcost.latency.runners.prepared import UnrunnableError
from convcost.latency.session import opened

TORCH = Setting(runtime="torch", threads=3)
HOLDS = (
    'import sys, json\nsay = lambda x: print(json.dumps(x), flush=True)\nsay({"device_name": "d", "notes": ["n"]})\n'
)
ANSWERS = (
    f"{HOLDS}for q in map(str.strip, sys.stdin): say(['s'] if q == 'settle' else 7.5 if q == 'spent' else int(q) / 8)"
)


def process(code: str) -> OtherProcess:
    return OtherProcess(command=(sys.executable, "-c", code), folder=".", environment=dict(os.environ))


def test_it_answers_with_seconds_notes_and_its_processor_time() -> None:
    with opened(process(ANSWERS), TORCH) as prepared:
        assert (prepared.device_name, prepared.notes) == ("d", ("n",))
        assert prepared.subject(3) == 0.375
        assert prepared.settle is not None
        assert prepared.settle()[1] == ("s",)
        assert prepared.spent is not None
        assert prepared.spent() == 7.5


def test_it_is_told_the_setting() -> None:
    code = f"import sys\nassert '\"threads\": 3' in sys.argv[1], sys.argv\n{ANSWERS}"
    with open_elsewhere(process(code), TORCH) as prepared:
        assert prepared.subject(8) == 1.0


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ('print(\'{"refused": "too large", "needed_bytes": 9}\')', "too large"),
        ("raise SystemExit", "its process ended without a word"),
        ("import sys\nsys.exit('no such file')", "no such file"),
    ],
)
def test_what_it_cannot_hold_is_refused_in_its_own_words(code: str, reason: str) -> None:
    with pytest.raises(UnrunnableError, match=reason), open_elsewhere(process(code), TORCH):
        pass


def test_one_that_dies_at_its_first_run_is_not_measured() -> None:
    code = f"{HOLDS}sys.stdin.readline()\nsys.exit('out of memory')"
    found = measure({"a": process(code)}, TORCH, Protocol(max_time=0.1))
    assert isinstance(found["a"], NotMeasurable)
    assert found["a"].reason == "torch cannot run it: out of memory"


def test_it_ends_when_nobody_asks_any_more() -> None:
    begun = time.monotonic()
    with open_elsewhere(process(f"{ANSWERS}\nimport pathlib"), TORCH) as prepared:
        prepared.subject(1)
    assert time.monotonic() - begun < 5


def test_after_an_interrupt_no_answer_is_taken_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> object:
        raise KeyboardInterrupt

    with open_elsewhere(process(ANSWERS), TORCH) as prepared:
        with monkeypatch.context() as patch:
            patch.setattr(elsewhere.json, "loads", interrupted)
            with pytest.raises(KeyboardInterrupt):
                prepared.subject(1)
        assert prepared.spent is not None
        with pytest.raises(RuntimeError, match="never answered"):
            prepared.spent()
