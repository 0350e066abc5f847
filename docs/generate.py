"""Writes the documents that are made from the code, or with --check says which are out of step.

python docs/generate.py [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from onnx_operators import onnx_operators

from convcost.cli import COMMANDS, build_app
from convcost.explain import Category, Explanation, explanations

HERE = Path(__file__).parent
_WIDTH = 100
_MADE = "<!-- made by docs/generate.py from the code; edit that instead -->"
_HEADINGS: tuple[tuple[Category, str], ...] = (
    ("metric", "Metrics"),
    ("term", "Terms"),
    ("op", "Operators"),
    ("alternative", "Alternatives of a convolution"),
    ("convention", "Conventions of other counters"),
    ("symbol", "Letters of formulas"),
    ("finding", "Findings of convcost check"),
)


def main(arguments: list[str]) -> int:
    """Exit code 1 when --check finds a document that differs from what would be written."""
    stale = [name for name, make in DOCUMENTS.items() if _text_of(HERE / name) != make()]
    if "--check" in arguments:
        if stale:
            sys.stderr.write(f"out of step with the code: {', '.join(stale)}; run python docs/generate.py\n")
        return 1 if stale else 0
    for name in stale:
        (HERE / name).write_text(DOCUMENTS[name](), encoding="utf-8")
    return 0


def operations() -> str:
    """docs/ops.md: what every number means and by which formula it is counted."""
    return "\n".join([_MADE, "", "# What is counted, and how", "", *_sections()]) + "\n"


def commands() -> str:
    """docs/cli.md: every command's own help."""
    parts = [_MADE, "", "# The command line", "", *_help([])]
    for name in COMMANDS:
        parts += [f"## convcost {name}", "", *_help([name])]
    return "\n".join(parts).rstrip() + "\n"


def fields() -> str:
    """docs/fields.md: what the fields of JSON and the columns of tables hold."""
    listed = [each for each in explanations() if each.category == "field"]
    rows = (f"| {', '.join(f'`{name}`' for name in (each.name, *each.also))} | {each.summary} |" for each in listed)
    head = ["# Fields of JSON and columns of tables", "", "Metrics, ops and alternatives are in [ops.md](ops.md).", ""]
    return "\n".join([_MADE, "", *head, "| name | holds |", "| --- | --- |", *rows]) + "\n"


DOCUMENTS: dict[str, Callable[[], str]] = {
    "ops.md": operations,
    "fields.md": fields,
    "cli.md": commands,
    "operators.md": onnx_operators,
}


def _sections() -> Iterator[str]:
    known = explanations()
    for category, heading in _HEADINGS:
        yield from (f"## {heading}", "")
        for each in known:
            if each.category == category:
                yield from _entry(each)


def _entry(each: Explanation) -> Iterator[str]:
    also = f" (also {', '.join(f'`{name}`' for name in each.also)})" if each.also else ""
    yield from (f"### `{each.name}`{also}", "", each.summary, "")
    if each.formula:
        yield from ("```text", each.formula, "```", "")
    if each.reference:
        source = each.reference if each.category == "metric" else f"Source: {each.reference}"
        yield from (f"{source[0].upper()}{source[1:]}.", "")


def _help(words: list[str]) -> Iterator[str]:
    from typer.testing import CliRunner

    # The terminal's width is the runner's, not that of whoever runs this.
    result = CliRunner().invoke(build_app(), [*words, "--help"], prog_name="convcost", terminal_width=_WIDTH)
    yield from ("```text", result.output.rstrip(), "```", "")


def _text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
