"""All families of cases in one table."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.conformance import (
    attention_cases,
    convolution_cases,
    precision_cases,
    product_cases,
    published_cases,
    recurrent_cases,
    structure_cases,
)
from tests.conformance.case import Case

FAMILIES: dict[str, dict[str, Case]] = {
    "Convolutions": convolution_cases.CASES,
    "Products": product_cases.CASES,
    "Attention": attention_cases.CASES,
    "Recurrent layers": recurrent_cases.CASES,
    "Structure and inputs": structure_cases.CASES,
    "Numbers and unknowns": precision_cases.CASES,
}
_TABLE = Path(__file__).parents[1] / "data" / "conformance_cases.csv"
# Its branch depends on values, which the exporter refuses.
_NO_EXPORT = ("dynamic_branch",)


def _published(row: dict[str, str]) -> Case:
    build, inputs = published_cases.CASES[row["case"]]
    return Case(
        name=row["case"],
        build=build,
        inputs=inputs,
        says=row["note"],
        macs=row["macs_formula"],
        params=row["params_formula"],
        exports=row["case"] not in _NO_EXPORT,
    )


PUBLISHED = {row["case"]: _published(row) for row in csv.DictReader(_TABLE.open(encoding="utf-8"))}
CASES: dict[str, Case] = {name: case for cases in FAMILIES.values() for name, case in cases.items()}
if len(CASES) != sum(map(len, FAMILIES.values())):
    raise ValueError("two families have a case of the same name")
