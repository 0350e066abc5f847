"""Reports on their way out: stdout, files written whole or not at all, and notes on stderr."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from convcost.cli.options import Writing
from convcost.cli.values import one_of
from convcost.cli.waiting import waiting
from convcost.errors import UsageError
from convcost.reports import Report, Style, render
from convcost.reports.escape import printable

_NOTES_INSIDE = ("table", "markdown")


def deliver(report: Report, writing: Writing, *, notes: Iterable[str] = ()) -> None:
    """Renders everything asked for, then writes files, then stdout; raises `UsageError` for what cannot be written."""
    to_stdout = ""
    files: dict[Path, str] = {}
    if writing.query is not None:
        from convcost.reports.query import query

        values = "".join(f"{printable(value)}\n" for value in query(report.to_json(), writing.query))
        to_stdout = "" if writing.output else values
    elif not writing.output:
        to_stdout = render(writing.format, report, style_of(writing), formats=writing.formats)
    for format_name, path in destinations(writing):
        is_query = writing.query is not None and format_name == QUERY
        files[path] = values if is_query else render(format_name, report, formats=writing.formats)
    if files:
        from convcost.cli.whole_files import write_whole

        write_whole(files)
    say_notes(notes, writing)
    write_stdout(to_stdout)


@contextlib.contextmanager
def stdout_for_reports(doing: str = "reading") -> Iterator[None]:
    """While a model is read or run, what its code or a library prints goes to stderr: stdout is for reports."""
    reports = sys.stdout
    reports.flush()
    try:
        descriptor = reports.fileno()
        kept = os.dup(descriptor)
    except (OSError, ValueError):  # a stdout that is no file, as in tests and notebooks
        with contextlib.redirect_stdout(sys.stderr):
            yield
        return
    os.dup2(sys.stderr.fileno(), descriptor)
    try:
        with contextlib.redirect_stdout(sys.stderr), waiting(doing):
            yield
    finally:
        reports.flush()  # what was written to it by those who had it before
        os.dup2(kept, descriptor)
        os.close(kept)


def write_stdout(text: str) -> bool:
    """Writes and flushes; a reader that has gone away, such as `head`, is not an error: then this says False."""
    if not text:
        return True
    try:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="replace")
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()
        return False
    except OSError as error:
        _forget_stdout()
        hint = "free some space, or write elsewhere with -o FILE"
        raise UsageError(f"cannot write to stdout: {error.strerror or error}", hint=hint) from error
    return True


QUERY = "query"


def destinations(writing: Writing, also: Iterable[str] = ()) -> list[tuple[str, Path]]:
    """The files to write, each with its format: one of the command's, or `also` one of these.

    Raises `UsageError` for an `--export` that names neither, and for a file that is named twice.
    """
    found: list[tuple[str, Path]] = []
    if writing.output is not None:
        found.append((writing.format if writing.query is None else QUERY, Path(writing.output)))
    for text in writing.export:
        format_name, separator, path = text.partition("=")
        if not separator or not path:
            raise UsageError(f"--export '{text}' is not FORMAT=FILE", hint="write --export json=report.json")
        found.append((one_of(format_name, (*writing.formats, *also), option="--export"), Path(path)))
    paths = [path for _, path in found]
    if Path("-") in paths:
        raise UsageError("'-' is not a file to write to", hint="without -o, the report goes to stdout")
    _refuse_repeated(paths)
    return found


def check_destinations(writing: Writing, *, beside: Sequence[Path] = ()) -> None:
    """Before long work: raises the `UsageError` with which `deliver` would end it for a file that cannot be written.

    `beside` are files that the command writes itself, where no report may go.
    """
    reports = [path for _, path in destinations(writing)]
    own = {path.resolve() for path in beside}
    if taken := next((path for path in reports if path.resolve() in own), None):
        hint = "give the report another file"
        raise UsageError(f"a report would take the place of '{taken}', which this command writes itself", hint=hint)
    if reports or beside:
        from convcost.cli.whole_files import refuse_unwritable

        refuse_unwritable([*reports, *beside])


def _refuse_repeated(paths: Sequence[Path]) -> None:
    seen: set[Path] = set()
    for path in paths:
        if (file := path.resolve()) in seen:
            raise UsageError(f"two reports would go to '{path}'", hint="give each a file of its own")
        seen.add(file)


def style_of(writing: Writing) -> Style:
    """How stdout is to look."""
    on_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if on_terminal else None
    wanted = {"always": True, "never": False, "auto": on_terminal and not os.environ.get("NO_COLOR")}
    return Style(width=width, color=wanted[writing.color])


def say_notes(notes: Iterable[str], writing: Writing) -> None:
    """On stderr, unless that is to be quiet or the report holds them itself."""
    inside = writing.query is None and writing.format in _NOTES_INSIDE
    if not writing.quiet and not inside:
        for note in notes:
            sys.stderr.write(f"note: {printable(note)}\n")


def _forget_stdout() -> None:
    """Points stdout at nothing, so that Python's own flush at exit does not fail again."""
    with contextlib.suppress(OSError, ValueError):
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, sys.stdout.fileno())
        os.close(devnull)
