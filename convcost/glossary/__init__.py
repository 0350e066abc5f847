"""The words of reports that are neither metrics nor ops: fields of JSON, columns and lines of tables, letters."""

from __future__ import annotations

from collections.abc import Mapping

from convcost.glossary.compared import COMPARED
from convcost.glossary.counted import COUNTED
from convcost.glossary.gated import GATED
from convcost.glossary.kernels import KERNELS
from convcost.glossary.measured import MEASURED
from convcost.glossary.shared import SHARED

__all__ = ["GLOSSARY"]

GLOSSARY: Mapping[tuple[str, ...], str] = {**SHARED, **COUNTED, **COMPARED, **KERNELS, **MEASURED, **GATED}
"""What each name means, by all of its spellings; the first is the one it is called by."""
