"""What a CI system is told besides the report: where a model is defined, and the job's summary."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from convcost.cli.plan import CheckedModel, Plan
from convcost.errors import UsageError
from convcost.reports import CHECK_FORMATS, render
from convcost.reports.check import CheckReport, Place

_FACTORY = re.compile(r"(.+\.py):([A-Za-z_]\w*).*", re.DOTALL)
_SUMMARY = "GITHUB_STEP_SUMMARY"


def places_of(plan: Plan) -> dict[str, Place]:
    """Where each model is defined: its factory, its line in the config, or its own file."""
    listed = {entry.name: entry.where for entry in plan.config.models}
    found = {}
    for model in plan.models:
        place, where = _own_place(model), listed.get(model.name)
        if place is None and where is not None:
            place = Place(file=where.file, line=where.line, column=where.column)
        if place is not None:
            found[model.name] = place
    return found


def append_summary(report: CheckReport, environment: Mapping[str, str]) -> None:
    """Adds the report to the summary of a GitHub job, where this is one."""
    path = environment.get(_SUMMARY)
    if not path:
        return
    text = render("markdown", report, formats=CHECK_FORMATS)
    try:
        with Path(path).open("a", encoding="utf-8", errors="replace") as summary:
            summary.write(text)
    except OSError as error:
        hint = f"unset {_SUMMARY}, or let it name a file"
        raise UsageError(f"cannot write the job's summary '{path}': {error.strerror or error}", hint=hint) from error


def _own_place(model: CheckedModel) -> Place | None:
    target = model.request.target
    if factory := _FACTORY.fullmatch(target):
        return _defined(Path(factory[1]), factory[2])
    return Place(file=os.path.normpath(target)) if Path(target).is_file() else None


def _defined(file: Path, name: str) -> Place | None:
    """The line of a function or class in a file; of the file's beginning where it is imported from elsewhere."""
    try:
        module = ast.parse(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return None
    return Place(file=os.path.normpath(file), line=next(_lines(module.body, name), 1))


def _lines(body: Iterable[ast.stmt], name: str) -> Iterator[int]:
    return (
        node.lineno
        for node in body
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef) and node.name == name
    )
