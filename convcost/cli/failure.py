"""How the program says that it cannot go on: `error:`, `hint:`, an exit code, and JSON where JSON was asked for."""

from __future__ import annotations

import contextlib
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from convcost import __version__
from convcost.errors import ConvcostError, UsageError

if TYPE_CHECKING:
    from convcost.analysis import Json

UNUSABLE = 2
INTERRUPTED = 130
TERMINATED = 143


class Terminated(BaseException):
    """The process was asked to end, as a CI system does at its time limit."""


def clean_up_when_terminated() -> None:
    """Makes SIGTERM an exception, so that temporary files go as they do after Ctrl-C."""

    def end(number: int, frame: object) -> None:
        raise Terminated

    signal.signal(signal.SIGTERM, end)


@runtime_checkable
class _CommandLineError(Protocol):
    """What typer raises for a wrong command line; the class lives in typer or in click, by version."""

    exit_code: int

    def format_message(self) -> str: ...


def report(error: ConvcostError, arguments: Sequence[str]) -> int:
    """Prints what went wrong and what to do; `-v` adds the traceback."""
    if _is_verbose(arguments):
        traceback.print_exception(error)
    say(error)
    if _wants_json(arguments):
        from convcost.cli.output import write_stdout
        from convcost.reports.jsontext import json_text

        with contextlib.suppress(UsageError):  # the error has been told, and a full disk is no second one
            write_stdout(json_text(_as_json(error)))
    return UNUSABLE


def _as_json(error: ConvcostError) -> dict[str, Json]:
    """The document of `docs/schema/error-1.json`."""
    return {
        "schema": "convcost/error/1",
        "convcost": __version__,
        "error": {"message": error.message, "hint": error.hint},
    }


def report_exit(stop: SystemExit, arguments: Sequence[str]) -> int:
    """A model's own code, or a library, tried to end the program."""
    hint = "call it from Python first: building a model must not exit"
    return report(ConvcostError(f"the model's code ended the program ({stop.code!r})", hint=hint), arguments)


def report_unexpected(error: Exception, arguments: Sequence[str]) -> int:
    """A wrong command line, what the system refuses, or a fault of convcost's own."""
    if isinstance(error, _CommandLineError):
        return report(UsageError(error.format_message(), hint=_help_for(arguments)), arguments)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename is not None else ""
        hint = "check the path, its permissions, and the space that is left"
        return report(ConvcostError(f"{where}{error.strerror}", hint=hint), arguments)
    if _is_verbose(arguments):
        traceback.print_exception(error)
    hint = "this is a fault in convcost: please report it, with what -v prints"
    return report(ConvcostError(f"{type(error).__name__}: {error}", hint=hint), ())


def say(error: ConvcostError) -> None:
    """One line for the error and one for the hint, on stderr."""
    with contextlib.suppress(OSError):  # perhaps what the error is about
        sys.stdout.flush()
    sys.stderr.write(f"error: {_one_line(error.message)}\n")
    sys.stderr.write(f"hint: {_one_line(error.hint)}\n")


def say_detail(text: str) -> None:
    """What others said of it, line by line, on stderr."""
    from convcost.reports.escape import printable

    sys.stderr.writelines(f"{printable(line)}\n" for line in text.splitlines())


def _one_line(text: str) -> str:
    from convcost.reports.escape import printable

    return printable(" ".join(text.split()))


def _help_for(arguments: Sequence[str]) -> str:
    command = next((word for word in arguments if not word.startswith("-")), "")
    from convcost.cli import COMMANDS

    return f"see convcost {command} --help" if command in COMMANDS else f"commands are {', '.join(COMMANDS)}"


def _is_verbose(arguments: Sequence[str]) -> bool:
    return bool({"-v", "--verbose"} & set(arguments))


def _wants_json(arguments: Sequence[str]) -> bool:
    """Read from the words themselves: a command line that failed was never parsed to the end."""
    joined = " ".join(arguments)
    to_file = any(word in ("-o", "--output") or word.startswith("--output=") for word in arguments)
    return not to_file and any(
        form in f"{joined} " for form in ("-f json ", "-fjson ", "--format json ", "--format=json ")
    )
