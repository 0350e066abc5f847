"""Reports of many models, piece by piece."""

from __future__ import annotations

import json

import jsonschema
import pytest

from convcost.analysis import analyze_graph
from convcost.errors import UsageError
from convcost.reports import FORMATS, Style, render
from convcost.reports.analysis import AnalysisReport
from convcost.reports.streamed import Pieces, QueryPieces, pieces
from tests.networks import small_network
from tests.reports.test_json import closed, schema_named

ANALYSES = tuple(analyze_graph(small_network(unknown=unknown)) for unknown in (False, True, False))
FAILURES = [{"target": "a\u2028b.onnx", "error": {"message": "a text file", "hint": "export it\nagain"}}]


def streamed(made: Pieces, count: int, failures: list[object] | None = None) -> str:
    parts = [made.of(AnalysisReport(analyses=(each,))) for each in ANALYSES[:count]]
    return "".join((*parts, made.end(failures or [])))  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("name", FORMATS)
def test_pieces_are_what_all_at_once_would_be(name: str, count: int) -> None:
    whole = render(name, AnalysisReport(analyses=ANALYSES[:count]))
    assert streamed(pieces(name, Style()), count) == whole


@pytest.mark.parametrize("count", [0, 1, 2])
@pytest.mark.parametrize("failures", [[], FAILURES], ids=["none failed", "one failed"])
def test_json_is_one_document_with_what_could_not_be_read(count: int, failures: list[object]) -> None:
    document = json.loads(streamed(pieces("json", Style()), count, failures))
    jsonschema.validate(document, closed(schema_named("analysis-1")))
    assert document["schema"] == "convcost/analyses/1"
    assert document["analyses"] == [each.to_json() for each in ANALYSES[:count]]
    assert document["failures"] == failures


def test_a_query_gives_a_line_for_each_model_or_one_value_of_the_whole() -> None:
    macs = str(ANALYSES[0].totals.macs)
    assert streamed(QueryPieces("totals.macs"), 3) == f"{macs}\n" * 3
    assert streamed(QueryPieces("analyses.1.totals.macs"), 3) == f"{macs}\n"
    assert streamed(QueryPieces("failures.0.error.message"), 3, FAILURES) == "a text file\n"  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="finds no '5' in analyses"):
        streamed(QueryPieces("analyses.5.totals.macs"), 3)
