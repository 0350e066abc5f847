"""All families of cases in one table."""

from __future__ import annotations

from tests.conformance import (
    attention_cases,
    convolution_cases,
    precision_cases,
    product_cases,
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
CASES: dict[str, Case] = {name: case for cases in FAMILIES.values() for name, case in cases.items()}
if len(CASES) != sum(map(len, FAMILIES.values())):
    raise ValueError("two families have a case of the same name")
