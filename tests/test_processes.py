"""Work shared with other processes comes back in order."""

from __future__ import annotations

import os

import pytest

from convcost import processes
from convcost.errors import SourceError
from convcost.processes import in_order


@pytest.fixture(autouse=True)
def _may_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests of the run load torch, which is why it would not be done here."""
    monkeypatch.setattr(processes, "may_fork", lambda: True)


def process_of(item: int) -> tuple[int, int]:
    return item, os.getpid()


def is_even(item: int) -> bool:
    return item % 2 == 0


def end_at_five(item: int) -> int:
    if item == 5:
        os._exit(1)
    return item


@pytest.mark.parametrize("jobs", [1, 2, 3])
@pytest.mark.parametrize("ahead", [1, 4])
def test_results_are_in_order_on_any_number_of_processes(jobs: int, ahead: int) -> None:
    found = list(in_order(process_of, range(20), jobs=jobs, ahead=ahead))
    assert [item for item, _ in found] == list(range(20))
    assert (len({process for _, process in found}) > 1) == (jobs > 1)


def test_few_items_are_not_worth_a_process() -> None:
    assert {process for _, process in in_order(process_of, range(3), jobs=4)} == {os.getpid()}


def test_what_may_not_be_shared_is_done_here_in_its_turn() -> None:
    found = list(in_order(process_of, range(1, 20), jobs=2, may_share=is_even))
    assert [item for item, _ in found] == list(range(1, 20))
    assert all((process == os.getpid()) == (not is_even(item)) for item, process in found)


def test_who_stops_asking_stops_the_work() -> None:
    results = in_order(process_of, range(1000), jobs=2, ahead=1)
    next(results)
    next(results)
    results.close()
    assert list(results) == []


def test_a_process_that_the_system_ends_is_an_error() -> None:
    with pytest.raises(SourceError, match="ended by the system"):
        list(in_order(end_at_five, range(20), jobs=2))
