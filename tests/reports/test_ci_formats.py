"""What CI systems read: valid by their schemas, whole whatever names and messages hold, and each with a place."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import xmlschema

from convcost.analysis import Analysis, analyze_graph
from convcost.budgets import Budget, LayerBudget, Reference, Rule, check_analysis
from convcost.budgets.budget import Terms
from convcost.budgets.option_text import parse_budget, parse_increase, parse_layer_budget
from convcost.located import Location
from convcost.reports import CHECK_FORMATS, render
from convcost.reports.check import CheckReport, Place
from convcost.reports.comment import LONGEST, MARKER
from convcost.reports.findings import findings_of
from tests.networks import chain_of_linears, small_network

SCHEMAS = Path(__file__).parents[1] / "data" / "schemas"
NASTY = "100 %: a,b\nc::error::d\r\x1b[31m <b>&\"' | ` ]]> \ud800 \u202e"
EVERY_FORMAT = sorted(CHECK_FORMATS)


def nasty_report() -> CheckReport:
    """Every kind of finding there is, named as badly as a model can be."""
    where = Location(file="config, 100%: x.yaml", line=3, column=7)
    terms = Terms(message=NASTY, where=where)
    rules: list[Rule] = [
        replace(parse_budget("macs=1"), terms=terms),
        replace(parse_layer_budget("*:macs=1"), terms=terms),
        replace(LayerBudget(metric=parse_budget("macs=1").metric, limit=1, match=NASTY), terms=terms),
        parse_increase("macs=1%"),
        Budget(metric=parse_budget("params=1").metric, limit=None, warn=1, terms=terms),
        parse_budget("peak_activation_bytes=1GB"),
    ]
    network = small_network(unknown=True, names=(NASTY, "plain"))
    analysis = replace(analyze_graph(network), target=NASTY)
    lost = check_analysis(analysis, [parse_increase("macs=1%")], name=NASTY)
    return CheckReport(results=(check_analysis(analysis, rules, name=NASTY),), general=lost.verdicts)


def rendered(name: str, report: CheckReport) -> str:
    return render(name, report, formats=CHECK_FORMATS)


def report_of(rules: list[Rule], analysis: Analysis | None = None) -> CheckReport:
    return CheckReport(results=(check_analysis(analysis or analyze_graph(small_network()), rules, name="net"),))


def test_sarif_is_valid_and_every_result_has_a_location() -> None:
    schema = json.loads((SCHEMAS / "sarif-2.1.0-rtm.5.json").read_text())
    document = json.loads(rendered("sarif", nasty_report()))
    jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker()).validate(document)
    (run,) = document["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(run["results"]) == len(findings_of(nasty_report()))
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])


def test_a_sarif_file_is_named_by_a_uri() -> None:
    document = json.loads(rendered("sarif", nasty_report()))
    uris = {
        location["physicalLocation"]["artifactLocation"]["uri"]
        for result in document["runs"][0]["results"]
        for location in result["locations"]
        if "physicalLocation" in location
    }
    assert uris == {"config%2C%20100%25%3A%20x.yaml"}


def test_junit_is_valid_and_counts_what_it_holds() -> None:
    text = rendered("junit", nasty_report())
    xmlschema.XMLSchema(SCHEMAS / "junit-10.xsd").validate(io.StringIO(text))
    root = ET.fromstring(text)
    cases = list(root.iter("testcase"))
    failures, errors = list(root.iter("failure")), list(root.iter("error"))
    assert (int(root.attrib["tests"]), int(root.attrib["failures"]), int(root.attrib["errors"])) == (
        len(cases),
        len(failures),
        len(errors),
    )
    assert failures
    assert errors


def test_gitlab_issues_have_what_gitlab_requires_and_keep_their_fingerprint() -> None:
    issues = json.loads(rendered("gitlab", nasty_report()))
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert issue["location"]["lines"]["begin"] >= 1
        assert issue["location"]["path"]
    small, large = (json.loads(rendered("gitlab", report_of([parse_budget(f"macs={n}")])))[0] for n in (1, 2))
    assert small["description"] != large["description"]
    assert small["fingerprint"] == large["fingerprint"]


def test_an_annotation_is_one_line_that_its_message_cannot_leave() -> None:
    lines = rendered("github", nasty_report()).splitlines()
    commands = [line for line in lines if line.startswith("::")]
    assert len(commands) == len(findings_of(nasty_report()))
    assert all(line.startswith(("::", "convcost:")) for line in lines)
    for command in commands:
        properties, _, message = command.removeprefix("::").partition("::")
        values = [pair.partition("=") for pair in properties.partition(" ")[2].split(",")]
        assert {key for key, _, _ in values} <= {"file", "line", "col", "title"}
        assert not any(char in value for _, _, value in values for char in ":\n\r")
        assert message
        assert "\x1b" not in command


def test_an_annotation_says_percent_colon_and_comma_in_the_form_github_reads_back() -> None:
    first = rendered("github", nasty_report()).splitlines()[0]
    assert "file=config%2C 100%25%3A x.yaml,line=3,col=7" in first
    assert "%0A100 %25: a,b" in first


def test_ten_annotations_of_a_kind_are_written_and_the_rest_is_counted() -> None:
    analysis = analyze_graph(chain_of_linears([f"layer{at}" for at in range(14)]))
    lines = rendered("github", report_of([parse_layer_budget("*:macs=1")], analysis)).splitlines()
    assert sum(line.startswith("::error ") for line in lines) == 10
    assert "convcost: 4 more findings of kind 'error' are in the report" in lines


def test_findings_stand_at_the_layer_then_the_config_then_the_model() -> None:
    rule = parse_budget("macs=1")
    configured = replace(rule, terms=Terms(where=Location(file="convcost.yaml", line=9, column=2)))
    own = {"net": Place(file="net.py", line=4)}
    found = [findings_of(replace(report_of([each]), places=own))[0].place for each in (configured, rule)]
    assert found == [Place(file="convcost.yaml", line=9, column=2), Place(file="net.py", line=4)]
    assert findings_of(report_of([rule]))[0].place is None


def test_a_layer_that_changed_is_annotated_where_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import convcost

    monkeypatch.chdir(tmp_path)
    spec = "layers:\n  - {type: conv, name: a, in_channels: 8, out_channels: 8, kernel: 3, groups: 8, input: [9, 9]}\n"
    Path("old.yaml").write_text(spec)
    Path("new.yaml").write_text(spec.replace("groups: 8", "groups: 1"))
    old, new = convcost.analyze("old.yaml"), convcost.analyze("new.yaml")
    verdicts = check_analysis(new, [parse_increase("macs=5%")], name="net", reference=Reference(analysis=old))
    (finding,) = findings_of(CheckReport(results=(verdicts,)))
    assert finding.place == Place(file="new.yaml", line=2)
    assert "groups 8 → 1: depthwise became dense, 8x" in finding.message


@pytest.mark.parametrize("outside", ["/usr/lib/model.py", "../elsewhere.py"])
def test_a_file_outside_the_project_is_no_place(outside: str) -> None:
    report = replace(report_of([parse_budget("macs=1")]), places={"net": Place(file=outside)})
    assert findings_of(report)[0].place is None


def test_a_comment_can_be_found_again_and_is_short_enough() -> None:
    text = rendered("markdown", nasty_report())
    assert text.startswith(f"{MARKER}\n")
    analysis = analyze_graph(chain_of_linears([f"layer{at}.{'x' * 80}" for at in range(400)]))
    result = check_analysis(analysis, [parse_layer_budget("*:macs=1")], name="net")
    many = CheckReport(results=tuple(replace(result, name=f"net{at}") for at in range(300)))
    long = rendered("markdown", many)
    assert 30_000 < len(long) < LONGEST == 60_000
    assert "more models are in the job's own report" in long
    # Details are left out whole: what is opened is closed.
    assert long.count("<details>") == long.count("</details>")


def test_an_overview_that_is_too_long_is_cut_between_lines_and_says_so() -> None:
    result = report_of([parse_budget("macs=1")]).results[0]
    text = rendered(
        "markdown", CheckReport(results=tuple(replace(result, name=f"n{'x' * 90}{at}") for at in range(900)))
    )
    assert len(text) < LONGEST
    assert text.rstrip().endswith("_Cut here: the rest is in the job's own report._")


@pytest.mark.parametrize("name", EVERY_FORMAT)
def test_every_format_takes_what_is_worst_and_can_be_encoded(name: str) -> None:
    assert rendered(name, nasty_report()).encode("utf-8", errors="strict")


@pytest.mark.parametrize("name", EVERY_FORMAT)
def test_the_same_report_gives_the_same_bytes(name: str) -> None:
    assert rendered(name, nasty_report()) == rendered(name, nasty_report())


def test_a_model_within_its_budget_gives_no_finding() -> None:
    report = report_of([parse_budget("macs=1G")])
    assert rendered("github", report) == "convcost: net: pass\n"
    assert json.loads(rendered("gitlab", report)) == []
    assert json.loads(rendered("sarif", report))["runs"][0]["results"] == []
