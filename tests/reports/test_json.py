"""JSON documents and the schemas that describe them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from convcost import api
from convcost.analysis import analyze_graph
from convcost.analysis.result import Json
from convcost.budgets import Budget, check_analysis
from convcost.explain import explanations
from convcost.reports import Report, render
from convcost.reports.analysis import AnalysisReport
from convcost.reports.check import CheckReport
from convcost.reports.comparison import ComparisonReport
from convcost.reports.explanation import ExplanationReport
from convcost.reports.jsontext import json_text
from convcost.reports.separability import SeparabilityReport
from convcost.reports.view import View
from convcost.weights import separability_of_file
from tests.networks import small_network
from tests.weights.models import separability_of_every_kind

SCHEMAS = Path(__file__).parents[2] / "docs" / "schema"
SAMPLES = Path(__file__).parents[2] / "sample_configs"

ANALYSES = tuple(analyze_graph(small_network(unknown=unknown)) for unknown in (False, True))
CHECKS = tuple(check_analysis(each, [Budget.of("macs", 1), Budget.of("params", "1M")]) for each in ANALYSES)
REPORTS: dict[str, tuple[str, Report]] = {
    "one analysis": ("analysis-1", AnalysisReport(analyses=ANALYSES[:1])),
    "several analyses": ("analysis-1", AnalysisReport(analyses=ANALYSES)),
    "groups": ("analysis-1", AnalysisReport(analyses=ANALYSES[:1], view=View(by="kind"))),
    "one check": ("verdicts-1", CheckReport(results=CHECKS[:1])),
    "several checks": ("verdicts-1", CheckReport(results=CHECKS)),
    "layer comparison": ("comparison-1", ComparisonReport(comparison=api.compare(SAMPLES / "layers.yaml"))),
    "input map": ("comparison-1", ComparisonReport(comparison=api.compare(SAMPLES / "layer.yaml", df="input"))),
    "work shared by devices": (
        "comparison-1",
        ComparisonReport(comparison=api.compare(SAMPLES / "mobilenet_v1.yaml", devices=2, layers=["block1*"])),
    ),
    "smaller kernels left alone": (
        "comparison-1",
        ComparisonReport(comparison=api.compare(SAMPLES / "layers.yaml", min_kernel=5)),
    ),
    "kernels of a file": (
        "separability-1",
        SeparabilityReport(separability=separability_of_file(str(SAMPLES / "kernels" / "laplacian.yaml"))),
    ),
    "kernels of a model": ("separability-1", SeparabilityReport(separability=separability_of_every_kind())),
    "explanations": ("explanation-1", ExplanationReport(explanations=explanations())),
}


def schema_named(name: str) -> dict[str, Json]:
    return json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))


def closed(schema: Json) -> Json:
    """The schema with every object it describes closed to keys it does not name."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(value) for key, value in schema.items()}
    if "properties" in inner and "required" in inner and "additionalProperties" not in inner:
        inner["additionalProperties"] = False
    return inner


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.stem)
def test_schemas_are_schemas(path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(("schema", "report"), REPORTS.values(), ids=REPORTS)
def test_a_report_is_what_its_schema_describes_and_nothing_more(schema: str, report: Report) -> None:
    document = json.loads(render("json", report))
    jsonschema.validate(document, closed(schema_named(schema)))


def test_a_schema_notices_a_count_that_is_no_integer() -> None:
    document = json.loads(render("json", REPORTS["one analysis"][1]))
    document["totals"]["macs"] = 1.5
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema_named("analysis-1"))


def test_key_order_is_the_promised_one() -> None:
    document = json.loads(render("json", REPORTS["one analysis"][1]))
    keys = [key for key in document if key not in {"backward", "eager_peak_bytes", "notes"}]
    assert keys == ["schema", "convcost", "source", "inputs", "convention", "totals", "coverage", "layers"]


def test_the_text_is_the_result_itself() -> None:
    assert json.loads(render("json", REPORTS["one analysis"][1])) == ANALYSES[0].to_json()


@pytest.mark.parametrize(
    "value", [[1, 2], [[1, 2], [3]], [], [-1], ["1,\n 2"], {"a": [10, 20], "b": "[\n 1\n]"}, [1, "x"], [True, 1], [1.5]]
)
def test_putting_shapes_on_one_line_changes_nothing(value: Json) -> None:
    assert json.loads(json_text(value)) == value


def test_a_shape_is_one_line() -> None:
    assert json_text({"shape": [1, 3, 224, 224]}) == '{\n  "shape": [1, 3, 224, 224]\n}\n'


def test_a_lone_surrogate_can_still_be_written() -> None:
    text = json_text({"name": "a\udc80"})
    assert json.loads(text.encode()) == {"name": "a\udc80"}
