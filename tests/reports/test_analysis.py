"""What a report on a model says."""

from __future__ import annotations

import pytest

from convcost.analysis import analyze_graph
from convcost.reports import render
from convcost.reports.analysis import AnalysisReport
from tests.networks import small_network


def report(*, unknown: bool = False, form: str = "table") -> str:
    return render(form, AnalysisReport(analyses=(analyze_graph(small_network(unknown=unknown)),)))


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_every_total_is_printed_with_its_exact_value(form: str) -> None:
    text = report(form=form)
    for label, exact in [
        ("MACs", "27,648"),
        ("Other ops", "1,024"),
        ("FLOPs", "56,320"),
        ("Params", "266"),
        ("Buffers", "8"),
        ("Weights", "1,064 B"),
        ("Activations", "8,192 B"),
        ("Peak activation", "8,192 B"),
    ]:
        line = next(line for line in text.splitlines() if line.strip(" |").startswith(label))
        assert exact in line


def test_target_input_and_batch_are_printed() -> None:
    assert report().startswith("small (spec)\ninput image: 1×3×8×16 float32 (batch 1)\n")


def test_coverage_is_printed() -> None:
    assert "2 of 2 ops counted, 0 unknown" in report()


def test_notes_are_printed() -> None:
    assert "note: made by hand" in report()


def test_it_says_how_flops_are_formed() -> None:
    assert "FLOPs = 2 × MACs + other ops" in report()


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_an_unknown_op_is_listed_with_its_reason_and_makes_totals_lower_bounds(form: str) -> None:
    text = report(unknown=True, form=form)
    assert "my::op" in text
    assert "no lowering" in text
    assert "2 of 3 ops counted, 1 unknown" in text
    assert "at least 27.65 k" in text
    least = [line for line in text.splitlines() if "at least" in line]
    assert not [line for line in least if any(stored in line for stored in ("Params", "Buffers", "Weights"))]


def test_nothing_is_called_unknown_when_all_is_counted() -> None:
    assert "at least" not in report()
    assert "Not counted" not in report()
