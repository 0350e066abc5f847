"""Values that remember their place, so that complaints can point at file:line:column; TOML is read by `.toml` alone."""

from __future__ import annotations

from convcost.located.document import parse_yaml, read_text, read_yaml
from convcost.located.values import (
    Located,
    LocatedError,
    LocatedList,
    LocatedMapping,
    LocatedScalar,
    Location,
    Scalar,
    choice_of,
    flag_of,
    integer_of,
    list_of,
    mapping_of,
    nearest,
    quoted,
    shown,
    text_of,
)

__all__ = [
    "Located",
    "LocatedError",
    "LocatedList",
    "LocatedMapping",
    "LocatedScalar",
    "Location",
    "Scalar",
    "choice_of",
    "flag_of",
    "integer_of",
    "list_of",
    "mapping_of",
    "nearest",
    "parse_yaml",
    "quoted",
    "read_text",
    "read_yaml",
    "shown",
    "text_of",
]
