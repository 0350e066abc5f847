"""The published page is in step with the cases."""

from __future__ import annotations

from benchmarks.conformance import COUNTERS, EXACT, PAGE, SECTIONS, Row, opening, page
from tests.conformance.every_case import CASES

ROWS = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]


def test_every_case_is_on_the_page_as_it_is_now():
    """`python -m benchmarks.conformance` writes it anew."""
    expected = [opening(case) for cases in SECTIONS.values() for case in cases.values()]
    assert [row[: len(start)] for row, start in zip(ROWS, expected, strict=True)] == expected


def test_the_page_says_that_we_are_exact_on_all_of_them():
    verdicts = [[cell.strip() for cell in row.split(" | ")[-len(COUNTERS) :]] for row in ROWS]
    assert {ours for ours, _, *_ in verdicts} == {EXACT}
    assert {ours for _, ours, *_ in verdicts} == {EXACT, "no export"}


def test_the_scores_count_what_stands_in_the_tables():
    case = CASES["conv2d_uneven"]
    rows = {"Some": [Row(case=case, verdicts=(EXACT, "no export", "7", EXACT))] * 3}
    scores = [line for line in page(rows).splitlines() if line.startswith("| ") and line.endswith(" |")]
    assert [line.split(" | ")[2:] for line in scores[2:6]] == [["3", "3 |"], ["0", "0 |"], ["0", "3 |"], ["3", "3 |"]]
