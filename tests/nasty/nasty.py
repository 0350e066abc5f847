"""What a hostile file is to a test: its bytes, the command that meets it, and what convcost says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Nasty:
    """`says` is part of the one error; without it the file is read, and the exit code is `code`.

    In `command`, `@` stands for the file's path.
    """

    name: str
    content: bytes
    says: str = ""
    code: int = 0
    command: tuple[str, ...] = ("analyze", "@")

    @property
    def label(self) -> str:
        """The file, and what is done with it where that is not counting."""
        return self.name if self.command == ("analyze", "@") else f"{self.name}: {' '.join(self.command)}"
