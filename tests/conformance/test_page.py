"""The published page is in step with the cases."""

from __future__ import annotations

from benchmarks.conformance import EXACT, LEADING_CELLS, PAGE, SECTIONS, Row, opening, page
from benchmarks.peers import PEERS
from tests.conformance.every_case import CASES

LINES = PAGE.read_text(encoding="utf-8").splitlines()
ROWS = [line for line in LINES if line.startswith("| `")]
COUNTERS = next(line for line in LINES if line.startswith(LEADING_CELLS)).removeprefix(LEADING_CELLS).split("|")[:-1]


def test_every_case_is_on_the_page_as_it_is_now():
    """`python -m benchmarks.conformance` writes it anew."""
    expected = [opening(case) for cases in SECTIONS.values() for case in cases.values()]
    assert [row[: len(start)] for row, start in zip(ROWS, expected, strict=True)] == expected


def test_the_page_says_that_we_are_exact_on_all_of_them():
    verdicts = [[cell.strip() for cell in row.split(" | ")[-len(COUNTERS) :]] for row in ROWS]
    assert {ours for ours, _, *_ in verdicts} == {EXACT}
    assert {ours for _, ours, *_ in verdicts} == {EXACT, "no export"}


def test_the_page_shows_every_peer_that_can_be_asked():
    assert [name.strip() for name in COUNTERS[2:]] == [peer.name for peer in PEERS]


def test_the_scores_count_what_stands_in_the_tables():
    case = CASES["conv2d_uneven"]
    rows = {"Some": [Row(case=case, verdicts=(EXACT, "no export", "7", EXACT))] * 3}
    scores = [line for line in page(rows, PEERS[:2]).splitlines() if line.startswith("| ") and line.endswith(" |")]
    assert [line.split(" | ")[2:] for line in scores[2:6]] == [["3", "3 |"], ["0", "0 |"], ["0", "3 |"], ["3", "3 |"]]
