"""What went wrong, where, and what to do about it: the only exceptions a user ever sees."""

from __future__ import annotations

from typing import ClassVar


class ConvcostError(Exception):
    """One line for what happened (and where), and one `hint` for what to do next, the class's own if none is given.

    The command line prints both and exits with 2; nothing else reaches the user as a failure.
    """

    general_hint: ClassVar[str] = "-v shows where it happened"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.general_hint


class UsageError(ConvcostError):
    """The command line, a config file or an argument does not say something convcost can do."""

    general_hint: ClassVar[str] = "convcost COMMAND --help lists what can be said"


class SourceError(ConvcostError):
    """A model cannot be found, read or run."""


class ShapeError(ConvcostError):
    """Sizes that do not fit together, such as a kernel larger than its padded input."""

    general_hint: ClassVar[str] = "check these sizes where the model is written, and --input if it was given"


class MissingDependencyError(ConvcostError):
    """The target needs an optional package; the hint is the install command."""
