"""Many targets: in order, on any number of processes, past what cannot be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from convcost import processes
from convcost.analysis import Analysis
from convcost.errors import ConvcostError
from convcost.sources.request import Request
from convcost.targets import Failure, analyses_of, outcomes_of, several

SPEC = "layer: {{type: conv, in_channels: {0}, out_channels: 8, kernel: 3, input: [9, 9]}}\n"


@pytest.fixture
def requests(tmp_path: Path) -> list[Request]:
    """Nine specs, one of them no spec and one missing."""
    found = []
    for number in range(1, 10):
        path = tmp_path / f"{number}.yaml"
        if number != 4:
            path.write_text(SPEC.format(number) if number != 7 else "layer: {type: conv}\n", encoding="utf-8")
        found.append(Request(target=str(path)))
    return found


@pytest.fixture
def _may_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests of the run load torch, which is why it would not be done here."""
    monkeypatch.setattr(processes, "may_fork", lambda: True)


@pytest.mark.usefixtures("_may_fork")
@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_outcomes_are_the_same_and_in_order_on_any_number_of_processes(requests: list[Request], jobs: int) -> None:
    found = list(outcomes_of(requests, jobs=jobs))
    assert [outcome.target for outcome in found] == [request.target for request in requests]
    macs = [outcome.totals.macs if isinstance(outcome, Analysis) else None for outcome in found]
    assert macs == [number * 8 * 9 * 49 if number not in (4, 7) else None for number in range(1, 10)]
    missing, wrong = (outcome for outcome in found if isinstance(outcome, Failure))
    assert "no such file" in missing.message
    assert "kernel" in wrong.message or "in_channels" in wrong.message
    assert "Error" in wrong.trace


@pytest.mark.usefixtures("_may_fork")
def test_the_first_in_order_that_cannot_be_read_ends_those_that_need_all(requests: list[Request]) -> None:
    with pytest.raises(ConvcostError, match=r"4\.yaml"):
        analyses_of(requests)


def test_a_fault_in_one_file_is_its_own(requests: list[Request], monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(request: Request, *, backward: bool) -> Analysis:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(several, "analysis_of", faulty)
    (found,) = outcomes_of(requests[:1])
    assert isinstance(found, Failure)
    assert found.message == f"{requests[0].target}: ZeroDivisionError: by zero"
    assert "fault in convcost" in found.hint


@pytest.mark.usefixtures("_may_fork")
def test_a_process_that_the_system_ends_fails_what_was_left_and_not_the_run(
    requests: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    parent, read = os.getpid(), several.analysis_of

    def ended(request: Request, *, backward: bool) -> Analysis:
        if os.getpid() != parent and request.target.endswith("8.yaml"):
            os._exit(1)
        return read(request, backward=backward)

    monkeypatch.setattr(several, "analysis_of", ended)
    found = list(outcomes_of(requests, jobs=2))
    assert [outcome.target for outcome in found] == [request.target for request in requests]
    assert isinstance(found[0], Analysis)
    assert isinstance(found[-1], Failure)
    assert "--jobs 1" in found[-1].hint
