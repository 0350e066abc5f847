"""Tables for terminals and pipes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from convcost.analysis import analyze_graph
from convcost.reports import Style, render
from convcost.reports.analysis import AnalysisReport
from convcost.reports.document import Column, Document, Kind, Table
from convcost.reports.text import display_width, elided
from convcost.reports.view import View
from tests.networks import chain_of_linears, small_network

LONG = [f"features.denseblock{block}.denselayer{layer}.conv1" for block in (1, 2) for layer in (1, 2)]


def shown(report: object, **style: object) -> str:
    return render("table", report, Style(**style))


def layers_of(names: list[str], **style: object) -> str:
    return shown(AnalysisReport(analyses=(analyze_graph(chain_of_linears(names)),)), **style)


class OneTable:
    """A report of a single table."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def documents(self) -> tuple[Document, ...]:
        return (Document(title="t", tables=(self.table,)),)


def test_a_pipe_gets_every_column_and_every_name_whole() -> None:
    text = layers_of(LONG)
    assert all(name in text for name in LONG)
    assert "FLOPs/byte" in text


def test_a_pipe_gets_no_colour() -> None:
    assert "\x1b" not in layers_of(LONG)


def test_colour_is_for_those_who_ask() -> None:
    assert "\x1b[1m" in layers_of(LONG, color=True)


@pytest.mark.parametrize("width", [80, 100, 140])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    report = AnalysisReport(analyses=(analyze_graph(small_network(unknown=True)),))
    for text in (layers_of(LONG, width=width), shown(report, width=width)):
        assert max(display_width(line) for line in text.splitlines()) <= width


def test_columns_go_before_numbers_are_cut() -> None:
    text = layers_of(LONG, width=80)
    assert "not shown at this width: " in text
    assert "FLOPs/byte" not in text.splitlines()[3]


def test_the_columns_left_out_are_named_within_the_width() -> None:
    columns = tuple(Column(key=f"k{at}", title=f"quantity {at}", kind=Kind.COUNT, spare=at) for at in range(20))
    lines = shown(OneTable(Table(columns=columns, rows=((1_000_000,) * len(columns),))), width=80).splitlines()
    assert "quantity 19)" in lines[-1]
    assert max(map(display_width, lines)) <= 80


def test_cut_names_are_still_told_apart() -> None:
    cut = elided(LONG, 22)
    assert len(set(cut)) == len(LONG)
    assert all(display_width(name) == 22 and "…" in name for name in cut)


def test_names_are_cut_in_the_middle_where_that_is_enough() -> None:
    assert elided(["encoder.layers.encoder_layer_11.mlp.3"], 20) == ["encoder.l…r_11.mlp.3"]


@given(st.lists(st.text(alphabet="ab.層", min_size=1, max_size=40), min_size=1, max_size=8), st.integers(16, 30))
def test_a_cut_name_never_takes_more_room_than_it_has(names: list[str], width: int) -> None:
    assert all(display_width(name) <= width for name in elided(names, width))


def test_ideographs_take_two_columns() -> None:
    assert display_width("層a") == 3


def test_widths_known_without_rich_are_those_of_rich() -> None:
    told = [chr(code) for code in (*range(0x20, 0x7F), *range(0xA1, 0x300)) if chr(code).isprintable()]
    assert [char for char in (*told, *"–…→−⌈⌉─") if display_width(char) != cell_len(char)] == []


def test_numbers_are_right_aligned_under_their_title() -> None:
    columns = (
        Column(key="name", title="Name", kind=Kind.NAME),
        Column(key="macs", title="Times\nfewer", kind=Kind.COUNT),
    )
    lines = shown(OneTable(Table(columns=columns, rows=(("a", 7), ("b", 1_000_000))))).splitlines()
    assert lines[2:] == ["         Times", "  Name   fewer", "  a          7", "  b     1.00 M"]


def test_a_status_takes_its_colour() -> None:
    table = Table(columns=(Column(key="s", title="Verdict", kind=Kind.STATUS),), rows=(("FAIL",), ("PASS",)))
    text = shown(OneTable(table), color=True)
    assert "\x1b[31mFAIL\x1b[0m" in text
    assert "\x1b[32mPASS\x1b[0m" in text


def test_rendering_is_linear_enough_for_many_rows() -> None:
    """Ten thousand rows in one go; a table that measured every cell against every other would not return."""
    names = [f"block{at}.fc" for at in range(10_000)]
    report = AnalysisReport(analyses=(analyze_graph(chain_of_linears(names)),), view=View(every_row=True))
    assert len(shown(report).splitlines()) > 10_000
