"""SARIF 2.1.0, for code scanning."""

from __future__ import annotations

from urllib.parse import quote

from convcost import __version__
from convcost.analysis import Json
from convcost.budgets.codes import CODES, Code
from convcost.reports.check import CheckReport
from convcost.reports.findings import Finding, findings_of
from convcost.reports.gitlab import fingerprint
from convcost.reports.jsontext import json_text
from convcost.reports.style import Style

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_CODES = tuple(code.name for code in CODES)


def render(report: CheckReport, style: Style) -> str:
    """One run with every rule and a result per finding, each with a location; style plays no part."""
    results: list[Json] = [_result(finding) for finding in findings_of(report)]
    rules: list[Json] = [_rule(code) for code in CODES]
    driver: Json = {"name": "convcost", "version": __version__, "rules": rules}
    run: Json = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(code: Code) -> Json:
    return {
        "id": code.name,
        "name": "".join(word.capitalize() for word in code.title.split("-")),
        "shortDescription": {"text": code.title.replace("-", " ")},
        "fullDescription": {"text": code.meaning},
        "help": {"text": code.remedy},
    }


def _result(finding: Finding) -> Json:
    return {
        "ruleId": finding.code.name,
        "ruleIndex": _CODES.index(finding.code.name),
        "level": finding.severity.value,
        "message": {"text": finding.message},
        "locations": [_location(finding)],
        "partialFingerprints": {"convcostFinding/v1": fingerprint(finding)},
    }


def _location(finding: Finding) -> Json:
    logical: Json = {"fullyQualifiedName": finding.subject, "kind": "module"}
    place = finding.place
    if place is None:
        return {"logicalLocations": [logical]}
    physical: Json = {
        "artifactLocation": {"uri": quote(place.file.replace("\\", "/")), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": place.line, "startColumn": place.column},
    }
    return {"physicalLocation": physical, "logicalLocations": [logical]}
