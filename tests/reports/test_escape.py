"""Names from models are harmless wherever they are shown."""

from __future__ import annotations

import csv
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.analysis import analyze_graph
from convcost.reports import FORMATS, Style, render
from convcost.reports.analysis import AnalysisReport
from convcost.reports.escape import markdown_name, markdown_text, printable, spreadsheet
from tests.networks import small_network

NASTY = "=1|`<b>[x](y)\x1b[31m\u202e\n@all"


@pytest.mark.parametrize(
    "char", ["\x1b", "\n", "\r", "\t", "\x7f", "\x9b", "\u202e", "\u2066", "\u2028", "\ud800", "\u200b"]
)
def test_what_moves_the_cursor_or_turns_the_text_is_made_visible(char: str) -> None:
    assert printable(f"a{char}b").startswith("a\\")


@pytest.mark.parametrize("name", ["conv1", "größe", "层1", "α·β×2", "a b"])
def test_ordinary_names_stay_as_they_are(name: str) -> None:
    assert printable(name) == name


@given(st.text())
def test_nothing_unprintable_gets_through(text: str) -> None:
    assert all(unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in printable(text))


@given(st.text(alphabet="a`| \\"))
def test_a_name_in_markdown_is_one_cell(text: str) -> None:
    shown = markdown_name(text)
    assert "|" not in shown.replace("\\|", "")


def test_markdown_means_nothing_in_words() -> None:
    assert markdown_text("*a* [b](c) <d> #1 @me") == "\\*a\\* \\[b\\](c) \\<d\\> \\#1 \\@me"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_spreadsheet_cell_starts_no_formula(start: str) -> None:
    assert spreadsheet(f"{start}1+1").startswith("'")


@pytest.mark.parametrize("name", [NASTY, "=cmd()", "a\nb"])
def test_a_nasty_layer_name_stays_in_its_row(name: str) -> None:
    report = AnalysisReport(analyses=(analyze_graph(small_network(names=(name, "relu"))),))
    texts = {form: render(form, report, Style(width=80)) for form in FORMATS}
    assert not any(char in texts[form] for form in ("table", "markdown", "csv") for char in "\x1b\u202e")
    rows = list(csv.reader(io.StringIO(texts["csv"])))
    assert len({len(row) for row in rows}) == 1
    table = [line for line in texts["markdown"].splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in table[:5]}) == 1
    assert '"layers": [' in texts["json"]


@pytest.mark.parametrize(
    "text", ["::error::x", "  ::add-mask::x", "a ::stop-commands::x", "x##[error]y", "##vso[task.x]", "##teamcity[x]"]
)
def test_no_text_holds_what_a_ci_system_takes_for_a_command(text):
    shown = printable(text)
    assert not shown.lstrip().startswith("::")
    assert " ::" not in shown
    assert "##" not in shown


@pytest.mark.parametrize("text", ["onnx::Conv_538", "torchvision::nms", "a##b", "#1", "## heading"])
def test_names_with_colons_and_hashes_inside_stay_as_they_are(text):
    assert printable(text) == text
