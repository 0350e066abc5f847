"""Saved reports from disk."""

from __future__ import annotations

import json
from pathlib import Path

from convcost.analysis import Analysis, Json
from convcost.analysis.saved import read_analysis
from convcost.errors import SourceError


def read_saved(path: str) -> Analysis:
    """The analysis a report was saved of; raises `SourceError` for any other file."""
    document = read_json(path)
    if isinstance(document, dict) and isinstance(several := document.get("analyses"), list):
        if len(several) != 1:
            hint = "save each model's report in a file of its own"
            raise SourceError(f"{path}: holds {len(several)} analyses, not one", hint=hint)
        document = several[0]
    return read_analysis(document, named=path)


def read_json(path: str) -> Json:
    """Any JSON file; raises `SourceError` for what cannot be read."""
    try:
        document: Json = json.loads(Path(path).read_bytes())
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file", hint="check the path, relative to where you are") from None
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise SourceError(
            f"{path}: not JSON: {error}", hint="is this a report saved with --export json=FILE?"
        ) from None
    return document
