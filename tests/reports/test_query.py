"""One value out of a report."""

from __future__ import annotations

import pytest

from convcost.analysis import analyze_graph
from convcost.errors import UsageError
from convcost.reports.analysis import AnalysisReport
from convcost.reports.query import query
from tests.networks import small_network

DOCUMENT = AnalysisReport(analyses=(analyze_graph(small_network()),)).to_json()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("totals.macs", "27648"),
        ("macs", "27648"),
        ("source.target", "small"),
        ("coverage.lower_bound", "false"),
        ("layers.0.macs", "27648"),
        ("layers.[stem.conv].attributes.kernel.0", "3"),
        ("layers.0.latency", "null"),
    ],
)
def test_a_path_leads_to_one_value(path: str, value: str) -> None:
    assert query(DOCUMENT, path) == [value]


def test_several_analyses_give_a_value_each() -> None:
    analysis = analyze_graph(small_network())
    assert query(AnalysisReport(analyses=(analysis, analysis)).to_json(), "macs") == ["27648", "27648"]


@pytest.mark.parametrize(
    ("path", "says", "hint"),
    [
        ("totals.mac", "no 'mac' in totals", "did you mean totals.macs?"),
        ("total.macs", "no 'total' in the report", "did you mean totals?"),
        ("totals", "not one value", "choose from macs, other_ops"),
        ("layers.7", "no '7' in layers", "choose one of 2: layers.0"),
        ("coverage.unknown.0", "no '0' in coverage.unknown", "is empty"),
        ("totals.macs.x", "no 'x' in totals.macs", "a value already"),
        ("", "not one value", "choose from schema"),
    ],
)
def test_a_path_that_leads_nowhere_is_told_where_to_go(path: str, says: str, hint: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        query(DOCUMENT, path)
    assert hint in caught.value.hint
